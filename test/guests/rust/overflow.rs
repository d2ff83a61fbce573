// A stack overflow in a thread is noticed by the guard page handler on its alternate stack: it aborts.
// want: signal SIGABRT

#[inline(never)]
fn dig(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    if depth == u64::MAX {
        return 0;
    }
    dig(depth + 1) + frame[depth as usize % 64]
}

fn main() {
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    println!("{}", thread.spawn(|| dig(0)).unwrap().join().unwrap());
}
