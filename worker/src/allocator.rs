//! The system's allocator, which leaves nothing behind while the build prepares: what is freed then would be in every Worker that is
//! deployed, as garbage of ten times the configuration's size.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

#[global_allocator]
static ALLOCATOR: Tidy = Tidy(AtomicBool::new(false));

struct Tidy(AtomicBool);

/// Whether memory is cleared when it is freed.
pub(crate) fn clear_what_is_freed(clear: bool) {
    ALLOCATOR.0.store(clear, Ordering::Relaxed);
}

// SAFETY: all of it is the system's; memory is written to only where its owner has just given it up.
#[expect(unsafe_code, reason = "there is no other way to be an allocator")]
unsafe impl GlobalAlloc for Tidy {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if self.0.load(Ordering::Relaxed) {
            unsafe { pointer.write_bytes(0, layout.size()) };
        }
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !self.0.load(Ordering::Relaxed) {
            return unsafe { System.realloc(pointer, layout, size) };
        }
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else { return std::ptr::null_mut() };
        let moved = unsafe { System.alloc(wanted) };
        if !moved.is_null() {
            unsafe {
                moved.copy_from_nonoverlapping(pointer, layout.size().min(size));
                self.dealloc(pointer, layout);
            }
        }
        moved
    }
}
