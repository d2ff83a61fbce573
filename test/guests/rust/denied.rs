// Without files, sockets and processes std gives errors, it neither hangs nor panics.
// want: exit 0
// stdout: SUCCESS
// native: no

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::{env, fs};

fn main() {
    assert_eq!(
        fs::read("/etc/passwd").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        fs::metadata("/etc/passwd").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert!(fs::write("/tmp/x", "x").is_err());
    assert!(fs::read_dir("/no").is_err());
    assert_eq!(
        TcpStream::connect("127.0.0.1:1").unwrap_err().kind(),
        ErrorKind::PermissionDenied
    );
    assert_eq!(
        TcpListener::bind("127.0.0.1:0").unwrap_err().kind(),
        ErrorKind::PermissionDenied
    );
    assert_eq!(
        UdpSocket::bind("127.0.0.1:0").unwrap_err().kind(),
        ErrorKind::PermissionDenied
    );
    assert!(Command::new("/bin/true").status().is_err());
    assert!(env::current_dir().is_ok());
    assert!(std::process::id() > 0);
    assert!(std::thread::available_parallelism().unwrap().get() >= 1);
    println!("SUCCESS");
}
