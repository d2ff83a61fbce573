// Reads lines from stdin and prints their number and the number of bytes.
// want: exit 0
// stdout: 3000 lines, 21000 bytes
// stdin: airlöc\n
// stdin-repeat: 3000

use std::io::{self, BufRead, Read};

fn main() {
    let (mut lines, mut bytes) = (0, 0);
    for line in io::stdin().lock().lines() {
        let line = line.expect("stdin is not UTF-8");
        assert_eq!(line, "airlöc");
        lines += 1;
        bytes += line.len();
    }
    let mut rest = String::new();
    assert_eq!(io::stdin().read_to_string(&mut rest).unwrap(), 0);
    println!("{lines} lines, {bytes} bytes");
}
