// Strings: formatting, parsing, Unicode, searching, sorting, closures and trait objects.
// want: exit 0
// stdout: SUCCESS

use std::fmt::Write;

fn main() {
    assert_eq!(
        format!(
            "{:>8.3}|{:<5}|{:^7}|{:#x}|{:08b}",
            3.14159, "ab", "mid", 255, 5
        ),
        "   3.142|ab   |  mid  |0xff|00000101"
    );
    assert_eq!(
        format!("{:?} {:?}", "tab\t\"", Some(vec![1, 2])),
        "\"tab\\t\\\"\" Some([1, 2])"
    );
    assert_eq!("0.1".parse::<f64>().unwrap(), 0.1);
    assert_eq!(f64::MAX.to_string().parse::<f64>().unwrap(), f64::MAX);
    assert!("12x".parse::<i32>().is_err() && "300".parse::<u8>().is_err());
    assert_eq!(
        i128::MAX.to_string(),
        "170141183460469231731687303715884105727"
    );

    let text = "Ünïcödé — 日本語 😀";
    assert_eq!((text.chars().count(), text.len()), (15, 30));
    assert_eq!(text.to_uppercase(), "ÜNÏCÖDÉ — 日本語 😀");
    assert_eq!("straße".to_uppercase(), "STRASSE");
    assert_eq!(
        text.chars().rev().collect::<String>().chars().next(),
        Some('😀')
    );
    assert_eq!(String::from_utf8_lossy(b"a\xffb"), "a\u{fffd}b");
    assert_eq!(text.find("日本"), Some(16));

    let mut long = String::new();
    for i in 0..50_000 {
        write!(long, "word{} ", i * 7919 % 50_000).unwrap();
    }
    let mut words: Vec<&str> = long.split_whitespace().collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(
        (words.len(), words[0], words[49_999]),
        (50_000, "word0", "word9999")
    );
    assert!(words.binary_search(&"word4242").is_ok());
    assert_eq!(long.matches("word1").count(), 11_111);
    assert_eq!(
        long.replace("word", "")
            .split(' ')
            .filter_map(|n| n.parse::<u64>().ok())
            .sum::<u64>(),
        49_999 * 25_000
    );

    let operations: Vec<Box<dyn Fn(f64) -> f64>> = vec![
        Box::new(f64::sqrt),
        Box::new(|x| x.powi(3)),
        Box::new(f64::sin),
    ];
    let result = operations
        .iter()
        .fold(16.0, |value, operation| operation(value));
    assert!((result - 64f64.sin()).abs() < 1e-15);
    println!("SUCCESS");
}
