//! Arithmetic modulo an odd number, by Montgomery's method ("Modular Multiplication Without Trial Division", 1985).
//!
//! Made for one thing, a signature's public exponent in wasm, where a multiplication gives 64 bits and additions have no carry: numbers are
//! limbs of 27 bits, so that a whole column of products adds up in 64 bits, and carries are looked at once a column. Nothing here is secret,
//! and the time it takes depends on the numbers.

/// Bits of a limb. A column has at most two products for each of the 304 limbs that 8192 bits need: 608 of 54 bits, and that is less than
/// 2^64.
const BITS: usize = 27;
const MASK: u64 = (1 << BITS) - 1;

/// Limbs that are worked on at a time: each column is loaded and stored once for so many products.
const ROWS: usize = 4;

/// A modulus, with what is computed once for it.
#[derive(Clone, Debug)]
pub(super) struct Modulus {
    /// Least significant first. R is 2 to all their bits, and more than four times the modulus, so that what is less than twice the modulus
    /// stays so without a subtraction.
    limbs: Vec<u32>,
    /// −N⁻¹ modulo 2 to the bits of a limb.
    inverse: u64,
    /// R² modulo N.
    square: Vec<u32>,
    bytes: usize,
}

impl Modulus {
    /// From big-endian bytes that begin with no zero, and end with an odd one.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let bits = bytes.len() * 8;
        let limbs = limbs(bytes, (bits + 2).div_ceil(BITS).next_multiple_of(ROWS));
        let mut modulus = Self {
            inverse: negative_inverse(limbs.first().copied().unwrap_or(1)),
            limbs,
            square: Vec::new(),
            bytes: bytes.len(),
        };
        modulus.square = modulus.square_of_radix();
        modulus
    }

    /// `base` to the power of `exponent`, which is odd, as big-endian bytes as long as the modulus. None where `base` is not less than it.
    pub(super) fn pow(&self, base: &[u8], exponent: u64) -> Option<Vec<u8>> {
        let base = limbs(base, self.limbs.len());
        if !is_less(&base, &self.limbs) {
            return None;
        }
        let mut columns = self.columns();
        let first = self.multiply(&base, &self.square, &mut columns);
        let mut power = first.clone();
        // The highest bit is what it begins with, and the lowest is left for the end.
        for bit in (1..u64::BITS - exponent.leading_zeros() - 1).rev() {
            power = self.square(&power, &mut columns);
            if exponent >> bit & 1 == 1 {
                power = self.multiply(&power, &first, &mut columns);
            }
        }
        power = self.square(&power, &mut columns);
        // Multiplied by what is not in Montgomery's form, it leaves that form.
        power = self.multiply(&power, &base, &mut columns);
        if !is_less(&power, &self.limbs) {
            subtract(&mut power, &self.limbs);
        }
        Some(bytes(&power, self.bytes))
    }

    /// Room for a product: twice the limbs, and what rows reach beyond them.
    fn columns(&self) -> Vec<u64> {
        vec![0; 2 * self.limbs.len() + ROWS]
    }

    /// `a · b / R` modulo N, less than 2 N where both are.
    fn multiply(&self, a: &[u32], b: &[u32], columns: &mut [u64]) -> Vec<u32> {
        columns.fill(0);
        let mut window = &mut *columns;
        for rows in a.as_chunks::<ROWS>().0 {
            add_rows(window, b, rows.map(u64::from));
            window = window.get_mut(ROWS..).unwrap_or_default();
        }
        self.reduce(columns)
    }

    /// `a · a / R` modulo N, less than 2 N where a is: every product of two different limbs is there twice.
    fn square(&self, a: &[u32], columns: &mut [u64]) -> Vec<u32> {
        columns.fill(0);
        let (mut rest, mut window) = (a, &mut *columns);
        while let Some((rows, above)) = rest.split_first_chunk::<ROWS>() {
            let [a0, a1, a2, a3] = rows.map(u64::from);
            if let [c0, c1, c2, c3, c4, c5, c6, ..] = window {
                *c0 += a0 * a0;
                *c1 += 2 * a0 * a1;
                *c2 += 2 * a0 * a2 + a1 * a1;
                *c3 += 2 * (a0 * a3 + a1 * a2);
                *c4 += 2 * a1 * a3 + a2 * a2;
                *c5 += 2 * a2 * a3;
                *c6 += a3 * a3;
            }
            add_rows(window.get_mut(ROWS..).unwrap_or_default(), above, [2 * a0, 2 * a1, 2 * a2, 2 * a3]);
            window = window.get_mut(2 * ROWS..).unwrap_or_default();
            rest = above;
        }
        self.reduce(columns)
    }

    /// What `columns` hold, divided by R, modulo N: multiples of the modulus make the lower half zero, limb by limb.
    fn reduce(&self, columns: &mut [u64]) -> Vec<u32> {
        let size = self.limbs.len();
        let [n0, n1, n2, n3, ..] = *self.limbs.as_slice() else { return Vec::new() };
        let [n0, n1, n2, n3] = [n0, n1, n2, n3].map(u64::from);
        let multiple = |column: u64| column.wrapping_mul(self.inverse) & MASK;
        let mut window = &mut *columns;
        for _ in 0..size / ROWS {
            let [c0, c1, c2, c3, ..] = *window else { break };
            let m0 = multiple(c0);
            let c1 = c1 + m0 * n1 + ((c0 + m0 * n0) >> BITS);
            let m1 = multiple(c1);
            let c2 = c2 + m0 * n2 + m1 * n1 + ((c1 + m1 * n0) >> BITS);
            let m2 = multiple(c2);
            let c3 = c3 + m0 * n3 + m1 * n2 + m2 * n1 + ((c2 + m2 * n0) >> BITS);
            let m3 = multiple(c3);
            add_rows(window, &self.limbs, [m0, m1, m2, m3]);
            if let [c0, c1, c2, c3, c4, ..] = window {
                *c1 += *c0 >> BITS;
                *c2 += *c1 >> BITS;
                *c3 += *c2 >> BITS;
                *c4 += *c3 >> BITS;
            }
            window = window.get_mut(ROWS..).unwrap_or_default();
        }
        let mut carry = 0;
        window.iter().take(size).map(|column| low(column + std::mem::take(&mut carry), &mut carry)).collect()
    }

    /// R² modulo N: R by doubling, and 2 to its bits by squaring and doubling in Montgomery's form.
    fn square_of_radix(&self) -> Vec<u32> {
        let size = self.limbs.len();
        let bits = size * BITS;
        // 2 to the bits of the bytes: at most 256 times the modulus.
        let mut number = limbs(&[&[1], vec![0; self.bytes].as_slice()].concat(), size);
        while !is_less(&number, &self.limbs) {
            subtract(&mut number, &self.limbs);
        }
        for _ in self.bytes * 8..bits {
            self.double(&mut number);
        }
        // It is R, which is the form of 1, and becomes that of 2 to the power of the leading bits of `bits`.
        let mut columns = self.columns();
        for bit in (0..usize::BITS - bits.leading_zeros()).rev() {
            number = self.square(&number, &mut columns);
            if bits >> bit & 1 == 1 {
                self.double(&mut number);
            }
        }
        number
    }

    /// Twice `number`, which is less than 2 N, and so is what comes of it.
    fn double(&self, number: &mut [u32]) {
        if !is_less(number, &self.limbs) {
            subtract(number, &self.limbs);
        }
        let mut carry = 0;
        for limb in number {
            *limb = low(2 * u64::from(*limb) + std::mem::take(&mut carry), &mut carry);
        }
    }
}

/// Adds `numbers` times each factor, each one column further on.
fn add_rows(columns: &mut [u64], numbers: &[u32], [x0, x1, x2, x3]: [u64; ROWS]) {
    let (mut last, mut before, mut first) = (0, 0, 0);
    let Some((columns, above)) = columns.split_at_mut_checked(numbers.len()) else { return };
    for (column, &number) in columns.iter_mut().zip(numbers) {
        let number = u64::from(number);
        *column += x0 * number + x1 * last + x2 * before + x3 * first;
        (last, before, first) = (number, last, before);
    }
    if let [c0, c1, c2, ..] = above {
        *c0 += x1 * last + x2 * before + x3 * first;
        *c1 += x2 * last + x3 * before;
        *c2 += x3 * last;
    }
}

/// The limb of a column; the rest is carried.
fn low(column: u64, carry: &mut u64) -> u32 {
    *carry = column >> BITS;
    u32::try_from(column & MASK).unwrap_or_default()
}

/// −n⁻¹ modulo 2 to the bits of a limb, for an odd n: each step of Newton's method doubles the bits that are right, of which n itself has
/// three.
fn negative_inverse(n: u32) -> u64 {
    let n = u64::from(n);
    let mut inverse = n;
    for _ in 0..4 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(n.wrapping_mul(inverse)));
    }
    inverse.wrapping_neg() & MASK
}

/// Big-endian bytes as so many limbs.
fn limbs(bytes: &[u8], size: usize) -> Vec<u32> {
    let mut limbs = Vec::with_capacity(size);
    let (mut held, mut bits) = (0_u64, 0);
    for byte in bytes.iter().rev() {
        held |= u64::from(*byte) << bits;
        bits += 8;
        if bits >= BITS {
            limbs.push(low(held, &mut held));
            bits -= BITS;
        }
    }
    limbs.push(low(held, &mut held));
    limbs.resize(size, 0);
    limbs
}

/// Limbs as so many big-endian bytes.
fn bytes(limbs: &[u32], length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 4);
    let (mut held, mut bits) = (0_u64, 0);
    for limb in limbs {
        held |= u64::from(*limb) << bits;
        bits += BITS;
        while bits >= 8 {
            bytes.push(u8::try_from(held & 0xFF).unwrap_or_default());
            held >>= 8;
            bits -= 8;
        }
    }
    bytes.resize(length, 0);
    bytes.reverse();
    bytes
}

/// Whether `a < b`, for as many limbs.
fn is_less(a: &[u32], b: &[u32]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// `a −= b`, which is not greater.
fn subtract(a: &mut [u32], b: &[u32]) {
    let mut borrow = 0;
    for (a, b) in a.iter_mut().zip(b) {
        let difference = (1 << BITS) + u64::from(*a) - u64::from(*b) - borrow;
        borrow = 1 - (difference >> BITS);
        *a = u32::try_from(difference & MASK).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use dashu_int::UBig;
    use dashu_int::fast_div::ConstDivisor;
    use proptest::prelude::*;

    use super::*;

    fn expected(modulus: &[u8], base: &[u8], exponent: u64) -> Vec<u8> {
        let ring = ConstDivisor::new(UBig::from_be_bytes(modulus));
        let power = ring.reduce(UBig::from_be_bytes(base)).pow(&exponent.into()).residue().to_be_bytes();
        [vec![0; modulus.len() - power.len()], power.into()].concat()
    }

    fn odd(mut modulus: Vec<u8>) -> Vec<u8> {
        *modulus.first_mut().unwrap() |= 0x80;
        *modulus.last_mut().unwrap() |= 1;
        modulus
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn powers_are_those_of_another_library(
            (modulus, base) in (256_usize..=1024).prop_flat_map(|size| {
                let number = || proptest::collection::vec(any::<u8>(), size);
                (number().prop_map(odd), number())
            }),
            exponent in prop_oneof![Just(65_537_u64), (32_768_u64..0x1_0000_0000).prop_map(|half| 2 * half + 1)],
        ) {
            let less = UBig::from_be_bytes(&base) < UBig::from_be_bytes(&modulus);
            let wanted = less.then(|| expected(&modulus, &base, exponent));
            prop_assert_eq!(Modulus::new(&modulus).pow(&base, exponent), wanted);
        }
    }

    #[test]
    fn columns_hold_the_largest_numbers_there_are() {
        for size in [256, 257, 384, 512, 513, 1024] {
            for modulus in [vec![0xFF; size], odd(vec![0; size]), odd(vec![0x7F; size]), odd(vec![0xFE; size])] {
                let mut largest = modulus.clone();
                *largest.last_mut().unwrap() -= 1;
                let ones = [vec![0], vec![0xFF; size - 1]].concat();
                let one = [vec![0; size - 1], vec![1]].concat();
                for base in [largest, ones, one, vec![0; size]] {
                    let power = Modulus::new(&modulus).pow(&base, 65_537);
                    assert_eq!(power, Some(expected(&modulus, &base, 65_537)), "{size}: {modulus:02x?}");
                }
            }
        }
    }

    #[test]
    fn the_modulus_itself_and_more_have_no_power() {
        let modulus = odd(vec![0x80; 256]);
        for base in [modulus.clone(), vec![0xFF; 256]] {
            assert_eq!(Modulus::new(&modulus).pow(&base, 65_537), None);
        }
    }
}
