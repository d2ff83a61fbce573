// An uncaught panic in main exits with code 101.
// want: exit 101

fn main() {
    let values: Vec<i32> = Vec::new();
    println!("{}", values[std::hint::black_box(3)]);
}
