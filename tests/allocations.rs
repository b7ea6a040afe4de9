//! What a request costs in memory: how often the library allocates on its way, and that it keeps none of it.
//!
//! The numbers are exact. One that grows was somebody's doing; one that shrinks is written down here, so that it stays.

#![cfg(feature = "cli")]

#[cfg(test)]
#[path = "pipeline/scene.rs"]
mod scene;

#[cfg(test)]
mod tests {
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    use super::scene::Scene;

    struct Counting;

    thread_local! {
        static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
        static HELD: Cell<isize> = const { Cell::new(0) };
    }

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    fn count(bytes: isize) {
        // A thread that ends has no counters any more.
        let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + usize::from(bytes > 0)));
        let _ = HELD.try_with(|held| held.set(held.get() + bytes));
    }

    // SAFETY: all of it is the system's.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            count(layout.size().cast_signed());
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
            count(-layout.size().cast_signed());
            unsafe { System.dealloc(pointer, layout) }
        }
    }

    #[test]
    fn a_request_allocates_so_often_and_keeps_nothing() {
        let mut scene = Scene::new();
        // Up to seven of each are the scene's own: the request.
        let expected = [
            ("a fixed answer", 6),
            ("no token", 10),
            ("HS256, seen before", 13),
            ("HS256, new", 34),
            ("HS256, bad signature", 35),
            ("HS256, expired", 33),
            ("RS256, new", 48),
            ("RS256, bad signature", 21),
            ("not found", 8),
        ];
        let mut told = Vec::new();
        for case in scene.cases() {
            scene.ask(&case);
            let before = (ALLOCATIONS.get(), HELD.get());
            scene.ask(&case);
            assert_eq!(HELD.get(), before.1, "{}: bytes are kept", case.name);
            told.push((case.name, ALLOCATIONS.get() - before.0));
        }
        assert_eq!(told, expected);
    }
}
