//! Arithmetic modulo an odd number, by Montgomery's method ("Modular Multiplication Without Trial Division", 1985).
//!
//! Made for one thing, a signature's public exponent in wasm, where integers have neither carries nor products of 128 bits, while vectors of
//! floating-point numbers multiply and add in one instruction. So numbers are limbs of 22 bits in `f64`, from −2²¹ to 2²¹: products have 42
//! bits, and a column of them adds up exactly, without a carry. Nothing here is secret, and the time it takes depends on the numbers.
//!
//! A number is `Σ limb · 2^(22 · index)`; two limbs are a [`Pair`]. R is 2 to all bits of the limbs.

use super::pair::Pair;

/// Bits of a limb. A column holds at most two products for each of the 376 limbs that 8192 bits need: together 2^(42 + 9.6) and a little,
/// less than the 2^53 up to which an `f64` is exact.
const BITS: usize = 22;
const BASE: f64 = 4_194_304.0;
/// Makes an `f64` a multiple of 2^22, the nearest, where it is added and taken away again: its own last bit is worth 2^22.
const ROUND: f64 = 1.5 * 4_503_599_627_370_496.0 * BASE;

/// Pairs of columns that are summed up at a time.
const TILE: usize = 4;

/// Zero pairs before every number and after it, for tiles at its ends.
const MARGIN: usize = TILE - 1;

/// A modulus, with what is computed once for it.
#[derive(Clone, Debug)]
pub(super) struct Modulus {
    /// As it came: big-endian.
    bytes: Vec<u8>,
    number: Vec<Pair>,
    /// −N⁻¹ modulo R.
    inverse: Vec<Pair>,
    /// R² modulo N.
    square: Vec<Pair>,
}

impl Modulus {
    /// From big-endian bytes that begin with no zero, and end with an odd one.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let number = number(bytes, pairs(bytes.len()));
        let mut modulus = Self { bytes: bytes.to_vec(), number, inverse: Vec::new(), square: Vec::new() };
        modulus.inverse = modulus.negative_inverse();
        modulus.square = modulus.square_of_radix();
        modulus
    }

    /// As it came: big-endian.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// `base` to the power of `exponent`, which is odd and more than one, as big-endian bytes as long as the modulus. None where `base` is
    /// not as long, or not less.
    pub(super) fn pow(&self, base: &[u8], exponent: u64) -> Option<Vec<u8>> {
        if base.len() != self.bytes.len() || base >= self.bytes.as_slice() {
            return None;
        }
        let base = number(base, self.size());
        let mut room = Room::new(self.size());
        let mut first = base.clone();
        self.multiply(&mut first, &self.square, &mut room);
        let mut power = first.clone();
        // The highest bit is what it begins with, and the lowest is left for the end.
        for bit in (1..u64::BITS - exponent.leading_zeros() - 1).rev() {
            self.square(&mut power, &mut room);
            if exponent >> bit & 1 == 1 {
                self.multiply(&mut power, &first, &mut room);
            }
        }
        self.square(&mut power, &mut room);
        // Multiplied by what is not in Montgomery's form, it leaves that form.
        self.multiply(&mut power, &base, &mut room);
        Some(self.to_bytes(power))
    }

    /// Pairs of limbs of a number, without the zeros around it.
    const fn size(&self) -> usize {
        self.number.len() - 2 * MARGIN
    }

    /// `a = a · b / R` modulo N, in absolute value half of N and a little.
    fn multiply(&self, a: &mut [Pair], b: &[Pair], room: &mut Room) {
        multiply(a, b, false, 0, &mut room.product);
        self.reduce(room, a);
    }

    /// `a = a · a / R` modulo N, the same way.
    fn square(&self, a: &mut [Pair], room: &mut Room) {
        multiply(a, a, true, 0, &mut room.product);
        self.reduce(room, a);
    }

    /// The product in `room`, divided by R, modulo N: with a multiple of N added its lower half is a multiple of R, and can go.
    fn reduce(&self, room: &mut Room, into: &mut [Pair]) {
        let size = self.size();
        let Room { product, number, multiple, sums } = room;
        carry(product, 0.0, number);
        multiply(number, &self.inverse, false, 0, sums);
        carry(sums, 0.0, multiple);
        // The upper half, and the tile below it.
        multiply(multiple, &self.number, false, size / TILE - 1, sums);
        sums.iter_mut().zip(product.iter().skip(size - TILE)).for_each(|(sum, column)| *sum = sum.plus(*column));
        let Some(([.., last], upper)) = sums.split_first_chunk::<TILE>() else { return };
        // How many times R the lower half is, its two highest columns say: all that is below comes to less than 2^-13.
        let [below, highest] = last.lanes();
        carry(upper, (highest / BASE + below / (BASE * BASE)).round_ties_even(), into);
    }

    /// −N⁻¹ modulo R: each step of Newton's method doubles the bits that are right, of which N itself has three.
    fn negative_inverse(&self) -> Vec<Pair> {
        let size = self.size();
        let mut columns = vec![Pair::ZERO; size];
        let (mut inverse, mut correction) = (self.number.clone(), self.number.clone());
        let mut bits = 3;
        while bits < 2 * BITS * size {
            // x · (2 − N x)
            multiply(&self.number, &inverse, false, 0, &mut columns);
            carry(&columns, 0.0, &mut correction);
            negate(&mut correction);
            if let Some(first) = correction.get_mut(MARGIN) {
                *first = first.plus(Pair::new(2.0, 0.0));
            }
            multiply(&inverse, &correction, false, 0, &mut columns);
            carry(&columns, 0.0, &mut inverse);
            bits *= 2;
        }
        negate(&mut inverse);
        inverse
    }

    /// R² modulo N: one, shifted by a limb as often as R² has limbs.
    fn square_of_radix(&self) -> Vec<Pair> {
        let size = self.size();
        // The highest limbs of a number, as many as an `f64` can tell.
        let kept = 2 * size + 2 - self.bytes.len() * 8 / BITS;
        let head =
            |number: &[Pair]| downwards(number).skip(2 * MARGIN).take(kept).fold(0.0, |head, limb| head * BASE + limb);
        let whole = head(&self.number);
        let mut power = number(&[1], size);
        let mut columns = vec![Pair::ZERO; size];
        for _ in 0..4 * size {
            let times = (head(&power) * BASE / whole).round_ties_even();
            let (shift, times) = (Pair::new(BASE, BASE), Pair::new(-times, -times));
            let limbs = power.iter().zip(&self.number).skip(MARGIN);
            for (column, (limb, modulus)) in columns.iter_mut().zip(limbs) {
                *column = limb.times_plus(shift, modulus.times_plus(times, Pair::ZERO));
            }
            carry(&columns, 0.0, &mut power);
        }
        power
    }

    /// The bytes of a number that is less than N in absolute value.
    fn to_bytes(&self, mut number: Vec<Pair>) -> Vec<u8> {
        // The highest limb that is not zero has the sign: all below it together are less than one of it.
        if downwards(&number).find(|limb| *limb != 0.0).is_some_and(|limb| limb < 0.0) {
            number.iter_mut().zip(&self.number).for_each(|(limb, modulus)| *limb = limb.plus(*modulus));
        }
        let length = self.bytes.len();
        let mut bytes = Vec::with_capacity(length + size_of::<u64>());
        let (mut held, mut bits) = (0, 0);
        for limb in number.iter().skip(MARGIN).flat_map(|pair| pair.lanes()) {
            held += whole(limb) << bits;
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
}

/// What a multiplication works in.
struct Room {
    /// The columns of a product.
    product: Vec<Pair>,
    /// Its lower half, as a number.
    number: Vec<Pair>,
    /// The multiple of N that is added to it.
    multiple: Vec<Pair>,
    /// Columns that are needed of another product: half of them, and a tile.
    sums: Vec<Pair>,
}

impl Room {
    fn new(size: usize) -> Self {
        let zeros = |pairs| vec![Pair::ZERO; pairs];
        let number = || zeros(size + 2 * MARGIN);
        Self { product: zeros(2 * size), number: number(), multiple: number(), sums: zeros(size + TILE) }
    }
}

/// Columns of `a · b` from this tile on, as many as there is room for. Both may be the same number, and are `squared` then: of two different
/// pairs one product is made, and doubled.
#[cfg_attr(all(target_arch = "wasm32", feature = "relaxed-simd"), target_feature(enable = "relaxed-simd"))]
fn multiply(a: &[Pair], b: &[Pair], squared: bool, first: usize, columns: &mut [Pair]) {
    let size = a.len() - 2 * MARGIN;
    let zero = Pair::ZERO;
    let twice = |sum: Pair| sum.plus(sum);
    let mut before = zero;
    for (tile, columns) in columns.as_chunks_mut().0.iter_mut().enumerate() {
        // The pairs of `a` from `start` to `end`, with the pairs of `b` that make the pairs of columns from `at` on.
        let at = TILE * (first + tile);
        let start = (at + 1).saturating_sub(size);
        let end = if squared { at / 2 } else { size.min(at + TILE) };
        let rows = a.get(MARGIN + start..MARGIN + end).unwrap_or_default();
        let numbers = b.get(at + TILE - end..at + TILE + MARGIN - start).unwrap_or_default();
        // What is multiplied by the second of a pair belongs one column further on than what is by the first: that is put right at the end.
        let (mut e0, mut e1, mut e2, mut e3) = (zero, zero, zero, zero);
        let (mut o0, mut o1, mut o2, mut o3) = (zero, zero, zero, zero);
        let Some((numbers, &[mut b1, mut b2, mut b3])) = numbers.split_last_chunk() else { return };
        for (row, &b0) in rows.iter().zip(numbers.iter().rev()) {
            let [x, y] = row.each();
            e0 = x.times_plus(b0, e0);
            e1 = x.times_plus(b1, e1);
            e2 = x.times_plus(b2, e2);
            e3 = x.times_plus(b3, e3);
            o0 = y.times_plus(b0, o0);
            o1 = y.times_plus(b1, o1);
            o2 = y.times_plus(b2, o2);
            o3 = y.times_plus(b3, o3);
            (b1, b2, b3) = (b0, b1, b2);
        }
        if squared {
            let Some(&[p0, p1, p2, p3]) = a.get(MARGIN + end..).and_then(|pairs| pairs.first_chunk()) else { return };
            let [[x0, y0], [x1, y1]] = [p0.each(), p1.each()];
            e0 = x0.times_plus(p0, twice(e0));
            o0 = y0.times_plus(p0, twice(o0));
            e1 = twice(x0.times_plus(p1, e1));
            o1 = twice(y0.times_plus(p1, o1));
            e2 = x1.times_plus(p1, twice(x0.times_plus(p2, e2)));
            o2 = y1.times_plus(p1, twice(y0.times_plus(p2, o2)));
            e3 = twice(x1.times_plus(p2, x0.times_plus(p3, e3)));
            o3 = twice(y1.times_plus(p2, y0.times_plus(p3, o3)));
        }
        *columns = [e0.plus(o0.after(before)), e1.plus(o1.after(o0)), e2.plus(o2.after(o1)), e3.plus(o3.after(o2))];
        before = o3;
    }
}

/// Makes a number of as many columns as it has room for. What one carries goes on by a limb, and what that carries by one more: then a limb is
/// at most 2^21 + 2^9, which is as good. `more` is carried into the first.
#[cfg_attr(all(target_arch = "wasm32", feature = "relaxed-simd"), target_feature(enable = "relaxed-simd"))]
fn carry(columns: &[Pair], more: f64, number: &mut [Pair]) {
    const ROUNDS: Pair = Pair::new(ROUND, ROUND);
    const DOWN: Pair = Pair::new(1.0 / BASE, 1.0 / BASE);
    let (mut first, mut second) = (Pair::new(0.0, more * BASE), Pair::ZERO);
    let size = number.len() - 2 * MARGIN;
    for (limbs, &column) in number.iter_mut().skip(MARGIN).take(size).zip(columns) {
        let high = column.plus(ROUNDS).minus(ROUNDS);
        let sum = high.after(first).times_plus(DOWN, column.minus(high));
        first = high;
        let high = sum.plus(ROUNDS).minus(ROUNDS);
        *limbs = high.after(second).times_plus(DOWN, sum.minus(high));
        second = high;
    }
}

/// The limbs of a number, the highest first.
fn downwards(number: &[Pair]) -> impl Iterator<Item = f64> {
    number.iter().rev().flat_map(|pair| pair.lanes().into_iter().rev())
}

fn negate(number: &mut [Pair]) {
    for pair in number {
        *pair = Pair::ZERO.minus(*pair);
    }
}

/// Pairs of limbs for so many bytes. R has a limb to spare: it is so much more than N that what comes of a product is half of N and a little.
const fn pairs(bytes: usize) -> usize {
    (bytes * 8 + BITS).div_ceil(2 * BITS).next_multiple_of(TILE)
}

/// Big-endian bytes as a number of so many pairs of limbs.
fn number(bytes: &[u8], size: usize) -> Vec<Pair> {
    let (mut held, mut bits) = (0_u32, 0);
    let mut bytes = bytes.iter().rev();
    let mut next = || {
        while bits < BITS {
            held |= u32::from(bytes.next().copied().unwrap_or(0)) << bits;
            bits += 8;
        }
        let limb = held & ((1 << BITS) - 1);
        held >>= BITS;
        bits -= BITS;
        f64::from(limb)
    };
    let columns: Vec<Pair> = (0..size).map(|_| Pair::new(next(), next())).collect();
    let mut number = vec![Pair::ZERO; size + 2 * MARGIN];
    carry(&columns, 0.0, &mut number);
    number
}

/// A limb as an integer.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a limb is a whole number of 24 bits at most"
)]
const fn whole(limb: f64) -> i64 {
    limb as i64
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
        let first = modulus.first_mut().unwrap();
        *first = (*first).max(1);
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

    /// So many bytes of a number with this limb again and again.
    fn repeated(limb: u32, size: usize) -> Vec<u8> {
        let bit = |index: usize| u8::from(limb >> (index % BITS) & 1 == 1) << (index % 8);
        (0..size).rev().map(|byte| (byte * 8..byte * 8 + 8).map(bit).sum()).collect()
    }

    #[test]
    fn columns_hold_the_largest_numbers_there_are() {
        for size in [256, 257, 384, 512, 513, 1024] {
            // As limbs from −2^21 to 2^21, and the bytes around.
            let limbs = [(1 << 21) - 1, 1 << 21, (1 << 21) + 1].map(|limb| repeated(limb, size));
            let bytes = [0, 0x7F, 0xFE, 0xFF].map(|byte| vec![byte; size]);
            for modulus in limbs.into_iter().chain(bytes).map(odd) {
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
