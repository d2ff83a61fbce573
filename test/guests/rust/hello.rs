// Prints the traditional greeting.
// want: exit 0
// stdout: Hello, World!

fn main() {
    println!("Hello, World!");
}
