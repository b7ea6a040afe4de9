//! Two numbers at a time: the vectors of [`super::montgomery`].
//!
//! In a Worker they are WebAssembly's `f64x2` with `relaxed_madd`, which is one instruction on the machines that have one. All products and
//! sums that come here are whole numbers below 2^53, so whether a machine rounds in between makes no difference: everywhere the same bits
//! come out, and elsewhere plain multiplication and addition do.

#[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
mod lanes {
    use core::arch::wasm32 as wasm;

    /// Two numbers.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Pair(wasm::v128);

    impl Pair {
        pub(in super::super) const ZERO: Self = Self::new(0.0, 0.0);

        pub(in super::super) const fn new(first: f64, second: f64) -> Self {
            Self(wasm::f64x2(first, second))
        }

        #[target_feature(enable = "relaxed-simd")]
        pub(in super::super) fn lanes(self) -> [f64; 2] {
            [wasm::f64x2_extract_lane::<0>(self.0), wasm::f64x2_extract_lane::<1>(self.0)]
        }

        /// `self · factor + sum`.
        #[target_feature(enable = "relaxed-simd")]
        pub(in super::super) fn times_plus(self, factor: Self, sum: Self) -> Self {
            Self(wasm::f64x2_relaxed_madd(self.0, factor.0, sum.0))
        }

        #[target_feature(enable = "relaxed-simd")]
        pub(in super::super) fn plus(self, other: Self) -> Self {
            Self(wasm::f64x2_add(self.0, other.0))
        }

        #[target_feature(enable = "relaxed-simd")]
        pub(in super::super) fn minus(self, other: Self) -> Self {
            Self(wasm::f64x2_sub(self.0, other.0))
        }

        /// The second of the pair `before`, and the first of this.
        #[target_feature(enable = "relaxed-simd")]
        pub(in super::super) fn after(self, before: Self) -> Self {
            Self(wasm::i64x2_shuffle::<1, 2>(before.0, self.0))
        }

        /// Twice the first, and twice the second.
        #[target_feature(enable = "relaxed-simd")]
        pub(in super::super) fn each(self) -> [Self; 2] {
            [Self(wasm::i64x2_shuffle::<0, 0>(self.0, self.0)), Self(wasm::i64x2_shuffle::<1, 1>(self.0, self.0))]
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", feature = "relaxed-simd")))]
mod lanes {
    /// Two numbers.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Pair([f64; 2]);

    impl Pair {
        pub(in super::super) const ZERO: Self = Self::new(0.0, 0.0);

        pub(in super::super) const fn new(first: f64, second: f64) -> Self {
            Self([first, second])
        }

        pub(in super::super) const fn lanes(self) -> [f64; 2] {
            self.0
        }

        /// `self · factor + sum`.
        pub(in super::super) fn times_plus(self, factor: Self, sum: Self) -> Self {
            let [first, second] = self.0;
            Self([first * factor.0[0] + sum.0[0], second * factor.0[1] + sum.0[1]])
        }

        pub(in super::super) fn plus(self, other: Self) -> Self {
            let ([a, b], [c, d]) = (self.0, other.0);
            Self([a + c, b + d])
        }

        pub(in super::super) fn minus(self, other: Self) -> Self {
            let ([a, b], [c, d]) = (self.0, other.0);
            Self([a - c, b - d])
        }

        /// The second of the pair `before`, and the first of this.
        pub(in super::super) const fn after(self, before: Self) -> Self {
            let ([_, a], [b, _]) = (before.0, self.0);
            Self([a, b])
        }

        /// Twice the first, and twice the second.
        pub(in super::super) const fn each(self) -> [Self; 2] {
            let [a, b] = self.0;
            [Self([a, a]), Self([b, b])]
        }
    }
}

pub(super) use lanes::Pair;
