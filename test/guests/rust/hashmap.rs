// HashMap with its random keys, HashSet, BTreeMap and BinaryHeap.
// want: exit 0
// stdout: SUCCESS

use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

fn main() {
    let mut map = HashMap::new();
    for i in 0..50_000u64 {
        *map.entry(format!("key-{}", i % 20_000)).or_insert(0) += i;
    }
    assert_eq!(map.len(), 20_000);
    assert_eq!(map["key-5"], 5 + 20_005 + 40_005);
    map.retain(|_, value| *value % 2 == 0);
    assert!(map.values().all(|value| value % 2 == 0));

    let hash = |state: RandomState| state.hash_one("the same text");
    assert_ne!(hash(RandomState::new()), hash(RandomState::new()));

    let set: HashSet<u64> = (0..10_000).map(|i| i * i % 7919).collect();
    assert_eq!(set.len(), 3960); // the squares modulo a prime
    let tree: BTreeMap<_, _> = (0..10_000u64)
        .map(|i| (i.wrapping_mul(0x9e3779b97f4a7c15), i))
        .collect();
    assert!(tree.keys().is_sorted());
    assert_eq!(tree.len(), 10_000);
    let heap: BinaryHeap<_> = (0..10_000).map(|i| i * 7919 % 10_007).collect();
    assert!(heap.into_sorted_vec().is_sorted());
    println!("SUCCESS");
}
