//! Servers of Redis for tests, each on ports and in a folder of its own.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// A server, which ends with the test.
pub(crate) struct Server {
    pub(crate) port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
}

/// Whether there is a `redis-server`; says so if there is none.
pub(crate) fn is_there() -> bool {
    let found = Command::new("redis-server").arg("--version").output();
    if found.is_err() {
        eprintln!("skipped: there is no redis-server");
    }
    found.is_ok()
}

/// Waits for a state, however long that takes.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        sleep(Duration::from_millis(10));
    }
}

/// A port that nobody has.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Server {
    /// One that keeps nothing on disk.
    pub(crate) fn start() -> Self {
        Self::with(&["--save", "", "--appendonly", "no"])
    }

    /// One with these further arguments.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("barewire-redis-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let mut server = Self {
            port: free_port(),
            folder,
            arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
            child: None,
        };
        server.run();
        server
    }

    /// Has it started with further arguments from now on.
    pub(crate) fn add(&mut self, arguments: &[&str]) {
        let arguments = arguments.iter().map(|it| (*it).to_owned());
        self.arguments.extend(arguments);
    }

    /// Starts it again, with what it has on disk.
    pub(crate) fn run(&mut self) {
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string()])
            .args(["--bind", "127.0.0.1", "--loglevel", "warning", "--dir"])
            .arg(&self.folder)
            .args(&self.arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            sleep(Duration::from_millis(5));
        }
    }

    /// Sends it a signal, such as STOP.
    pub(crate) fn signal(&self, name: &str) {
        let number = self.child.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args(["-s", name, &number]).status();
        assert!(sent.unwrap().success());
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// One of its arguments.
    pub(crate) fn argument(&self, name: &str) -> String {
        let at = self.arguments.iter().position(|it| it == name).unwrap();
        self.arguments[at + 1].clone()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Runs one command, as `redis-cli` would; its answer as it comes.
    pub(crate) fn ask(&self, parts: &[&str]) -> String {
        ask(self.port, parts)
    }

    /// Runs several on one connection.
    pub(crate) fn ask_all(&self, commands: &[&[&str]]) -> String {
        ask_all(self.port, commands)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Runs one command on the server at a port.
pub(crate) fn ask(port: u16, parts: &[&str]) -> String {
    ask_all(port, &[parts])
}

fn ask_all(port: u16, commands: &[&[&str]]) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut command = String::new();
    for parts in commands {
        command += &format!("*{}\r\n", parts.len());
        for part in *parts {
            command += &format!("${}\r\n{part}\r\n", part.len());
        }
    }
    command += "*1\r\n$4\r\nQUIT\r\n";
    socket.write_all(command.as_bytes()).unwrap();
    // A Sentinel does not know QUIT, and stays.
    let patience = Some(Duration::from_millis(500));
    socket.set_read_timeout(patience).unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    answer
        .trim_end()
        .trim_end_matches("+OK")
        .trim_end()
        .to_owned()
}
