// std::thread with Arc, Mutex, RwLock, Condvar, Barrier, mpsc, scoped threads and thread-locals.
// want: exit 0
// stdout: SUCCESS

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, OnceLock, RwLock};
use std::thread;
use std::time::Duration;

thread_local!(static LOCAL: Cell<usize> = const { Cell::new(7) });

fn mutex_and_local() {
    let total = Arc::new(Mutex::new(0usize));
    let handles: Vec<_> = (0..8)
        .map(|id| {
            let total = Arc::clone(&total);
            thread::Builder::new()
                .name(format!("worker-{id}"))
                .spawn(move || {
                    LOCAL.with(|local| local.set(local.get() + id));
                    for _ in 0..10_000 {
                        *total.lock().unwrap() += 1;
                    }
                    assert_eq!(thread::current().name().unwrap(), format!("worker-{id}"));
                    LOCAL.with(|local| local.get())
                })
        })
        .collect();
    for (id, handle) in handles.into_iter().enumerate() {
        assert_eq!(handle.unwrap().join().unwrap(), 7 + id);
    }
    assert_eq!(*total.lock().unwrap(), 80_000);
}

fn channels() {
    let (sender, receiver) = mpsc::channel();
    for id in 0..10u64 {
        let sender = sender.clone();
        thread::spawn(move || (0..1000).for_each(|i| sender.send(id * 1000 + i).unwrap()));
    }
    drop(sender);
    assert_eq!(receiver.iter().sum::<u64>(), (0..10_000).sum());

    let (sender, receiver) = mpsc::sync_channel(1);
    let producer = thread::spawn(move || (0..1000).for_each(|i| sender.send(i).unwrap()));
    assert!(receiver.iter().eq(0..1000));
    producer.join().unwrap();
    let (_sender, receiver) = mpsc::channel::<()>();
    assert_eq!(
        receiver.recv_timeout(Duration::from_millis(10)),
        Err(mpsc::RecvTimeoutError::Timeout)
    );
}

fn condvar() {
    let shared = (Mutex::new(VecDeque::new()), Condvar::new());
    thread::scope(|scope| {
        let consumer = scope.spawn(|| {
            let mut sum = 0;
            for _ in 0..3000 {
                let mut queue = shared
                    .1
                    .wait_while(shared.0.lock().unwrap(), |q| q.is_empty())
                    .unwrap();
                sum += queue.pop_front().unwrap();
            }
            sum
        });
        for i in 0..3000u64 {
            shared.0.lock().unwrap().push_back(i);
            shared.1.notify_one();
        }
        assert_eq!(consumer.join().unwrap(), (0..3000).sum::<u64>());
    });
    let guard = shared.0.lock().unwrap();
    assert!(shared
        .1
        .wait_timeout_while(guard, Duration::from_millis(5), |_| true)
        .unwrap()
        .1
        .timed_out());
}

fn others() {
    static ONCE: OnceLock<usize> = OnceLock::new();
    let (barrier, lock, count) = (Barrier::new(6), RwLock::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for id in 0..6 {
            let (barrier, lock, count) = (&barrier, &lock, &count);
            scope.spawn(move || {
                for round in 1..=100 {
                    count.fetch_add(1, Ordering::SeqCst);
                    barrier.wait();
                    assert_eq!(count.load(Ordering::SeqCst), round * 6);
                    if id == round % 6 {
                        *lock.write().unwrap() += 1;
                    }
                    barrier.wait();
                    assert_eq!(*lock.read().unwrap(), round);
                }
                assert_eq!(*ONCE.get_or_init(|| 42), 42);
            });
        }
    });
    let parked = thread::spawn(|| thread::park_timeout(Duration::from_secs(10)));
    parked.thread().unpark();
    parked.join().unwrap();
}

fn main() {
    mutex_and_local();
    channels();
    condvar();
    others();
    println!("SUCCESS");
}
