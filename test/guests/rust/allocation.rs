// Vec, Box, Rc and String allocations with patterns, growth, alignment and zeroed memory.
// want: exit 0
// stdout: SUCCESS
// memory: 64MiB

use std::alloc::{alloc_zeroed, dealloc, realloc, Layout};
use std::rc::{Rc, Weak};

struct Node {
    value: u64,
    parent: Option<Weak<Node>>,
}

fn main() {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    let mut seed = 12345u32;
    for step in 0..20_000usize {
        seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
        if blocks.len() > 200 || (step % 3 == 0 && !blocks.is_empty()) {
            let block = blocks.swap_remove(seed as usize % blocks.len());
            assert!(block.iter().all(|byte| *byte == block.len() as u8));
        } else {
            let size = 1 + (seed >> 16) as usize % 5000;
            blocks.push(vec![size as u8; size]);
        }
    }

    let mut big: Vec<u64> = Vec::new();
    (0..1_000_000).for_each(|i| big.push(i * i));
    assert!(big
        .iter()
        .enumerate()
        .all(|(i, value)| *value == (i * i) as u64));
    big.truncate(1000);
    big.shrink_to_fit();
    assert_eq!(big.capacity(), 1000);

    for shift in 0..13 {
        let layout = Layout::from_size_align(5000, 1 << shift).unwrap();
        // SAFETY: the layout has a size, and each pointer is used within it.
        unsafe {
            let p = alloc_zeroed(layout);
            assert!(!p.is_null() && p as usize % (1 << shift) == 0);
            assert!((0..5000).all(|i| *p.add(i) == 0));
            *p.add(4999) = 9;
            let p = realloc(p, layout, 200_000);
            assert_eq!(*p.add(4999), 9);
            dealloc(p, Layout::from_size_align(200_000, 1 << shift).unwrap());
        }
    }

    let root = Rc::new(Node {
        value: 1,
        parent: None,
    });
    let children: Vec<_> = (0..1000)
        .map(|i| {
            Rc::new(Node {
                value: i,
                parent: Some(Rc::downgrade(&root)),
            })
        })
        .collect();
    assert_eq!(Rc::weak_count(&root), 1000);
    let sum: u64 = children
        .iter()
        .map(|c| c.value + c.parent.as_ref().unwrap().upgrade().unwrap().value)
        .sum();
    assert_eq!(sum, 999 * 500 + 1000);
    drop(root);
    assert!(children[0].parent.as_ref().unwrap().upgrade().is_none());
    println!("SUCCESS");
}
