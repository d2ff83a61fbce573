// process::exit with the code from the argument, from a thread.
// want: exit 23
// args: 23

fn main() {
    let code = std::env::args().nth(1).unwrap().parse().unwrap();
    std::thread::spawn(move || std::process::exit(code))
        .join()
        .unwrap();
}
