// A panic while a panic unwinds aborts the process.
// want: signal SIGABRT

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

fn main() {
    let _value = PanicsWhenDropped;
    panic!("in main");
}
