// Instant, SystemTime and sleep.
// want: exit 0
// stdout: SUCCESS

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn main() {
    for millis in [0, 1, 20] {
        let (start, wall) = (Instant::now(), SystemTime::now());
        thread::sleep(Duration::from_millis(millis));
        let elapsed = start.elapsed();
        assert!(
            elapsed >= Duration::from_millis(millis) && elapsed < Duration::from_secs(30),
            "{elapsed:?}"
        );
        let wall = wall.elapsed().unwrap();
        assert!(
            wall.abs_diff(elapsed) < Duration::from_secs(10),
            "{wall:?} and {elapsed:?}"
        );
    }
    let mut last = Instant::now();
    for _ in 0..100_000 {
        let now = Instant::now();
        assert!(now >= last);
        last = now;
    }
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert!(since > 1_700_000_000 && since < 4_102_444_800);
    println!("SUCCESS");
}
