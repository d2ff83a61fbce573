// Panics unwind through frames with destructors, are caught, cross joins, and poison mutexes.
// want: exit 0
// stdout: SUCCESS

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

#[inline(never)]
fn dig(depth: usize) -> usize {
    let _guard = Guard;
    if depth == 0 {
        panic!("at the bottom");
    }
    dig(depth - 1) + 1
}

fn main() {
    panic::set_hook(Box::new(|_| {}));
    for _ in 0..50 {
        let error = panic::catch_unwind(|| dig(99)).unwrap_err();
        assert_eq!(*error.downcast_ref::<&str>().unwrap(), "at the bottom");
    }
    assert_eq!(DROPPED.load(Ordering::SeqCst), 5000);

    let values = [1, 2, 3];
    let index = std::hint::black_box(7);
    let error = panic::catch_unwind(|| values[index]).unwrap_err();
    assert!(error
        .downcast_ref::<String>()
        .unwrap()
        .contains("index out of bounds"));
    let zero = std::hint::black_box(0);
    let error = panic::catch_unwind(|| 1 / zero).unwrap_err();
    assert!(error
        .downcast_ref::<&str>()
        .unwrap()
        .contains("divide by zero"));
    let error = panic::catch_unwind(|| panic::panic_any(42u8)).unwrap_err();
    assert_eq!(*error.downcast_ref::<u8>().unwrap(), 42);

    let lock = Arc::new(Mutex::new(5));
    let held = Arc::clone(&lock);
    let result = thread::spawn(move || {
        let _guard = held.lock().unwrap();
        panic!("with the lock held");
    })
    .join();
    assert!(result.is_err());
    assert_eq!(*lock.lock().unwrap_err().into_inner(), 5);

    let result = panic::catch_unwind(|| {
        let _outer = Guard;
        panic::resume_unwind(Box::new("again"));
    });
    assert!(result.is_err());
    println!("SUCCESS");
}
