//! Restarts, signals and variables, with processes of their own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::app_support::{Answer, PATIENCE};

/// Another process. It is killed if the test ends first.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Starts one with these variables and waits until it listens.
    fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "life::processes::child",
                "--ignored",
                "--nocapture",
            ])
            .env("CHILD", "1")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, address) = line.split_once("listening on ")?;
            address.parse().ok()
        });
        let address = told.unwrap_or_else(|| panic!("it has ended: {:?}", child.wait()));
        thread::spawn(move || lines.for_each(drop)); // so that it can say more
        Self { child, address }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its own end.
    fn end(&mut self) -> ExitStatus {
        let mut ended = None;
        wait_until("it ends", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other process of these tests: a server as its variables say.
#[test]
#[ignore = "it is the child of others"]
fn child() {
    if env::var_os("CHILD").is_none() {
        return;
    }
    let mut app = App::from_env("127.0.0.1:0")
        .unwrap()
        .health("/healthz", "/readyz")
        .get("/", |_request, reply| {
            reply.text(std::process::id().to_string())
        })
        .get("/slow", |_request, reply| {
            reply.blocking(|| {
                thread::sleep(Duration::from_secs(1));
                Response::text("slow")
            })
        });
    if let Some(path) = env::var_os("HAND_OVER") {
        app = app.hand_over(path);
    }
    let server = app.spawn().unwrap();
    #[cfg(feature = "signals")]
    server.drain_on_signals(Duration::from_millis(500)).unwrap();
    let all = server.local_addresses();
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    println!("\nlistening on {}", all.join(" "));
    assert_eq!(server.join().unwrap(), 0, "connections were cut");
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The process that answers.
fn answerer(address: SocketAddr) -> u32 {
    let answer = Answer::new(&ask(connect(address)));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body.parse().unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("barewire-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Clients that connect all the time, across three restarts of two loops each: each exchange is
/// answered, by one process or the next.
#[test]
fn a_restart_refuses_no_connection() {
    let folder = folder("restart");
    let path = folder.join("hand-over.sock");
    let variables = [
        ("LISTEN", "127.0.0.1:0"),
        ("THREADS", "2"),
        ("HAND_OVER", path.to_str().unwrap()),
    ];
    let mut process = Process::start(&variables);
    let address = process.address;
    let stop = AtomicBool::new(false);
    let answered = Mutex::new(BTreeMap::<u32, u32>::new());
    let by = |pid: u32| answered.lock().unwrap().get(&pid).copied().unwrap_or(0);
    thread::scope(|scope| {
        let ends = Ends(&stop);
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let pid = answerer(address);
                    *answered.lock().unwrap().entry(pid).or_default() += 1;
                }
            });
        }
        for _ in 0..3 {
            wait_until("the process is asked", || by(process.pid()) > 50);
            let slow = scope.spawn(move || {
                use std::io::{Read, Write};
                let mut stream = connect(address);
                stream
                    .write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
                    .unwrap();
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).unwrap();
                Answer::new(&answer).body
            });
            thread::sleep(Duration::from_millis(100));
            let next = Process::start(&variables);
            assert_eq!(next.address, address, "the port stays");
            assert!(process.end().success());
            // What the old one had begun, it has finished.
            assert_eq!(slow.join().unwrap(), "slow");
            wait_until("the next one is asked", || by(next.pid()) > 50);
            process = next;
        }
        drop(ends);
    });
    assert_eq!(answered.lock().unwrap().len(), 4, "{answered:?}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// Ends the clients also when the test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A new process that cannot serve leaves the old one as it was.
#[test]
fn a_failed_start_leaves_the_old_process_alone() {
    let folder = folder("failed");
    let path = folder.join("hand-over.sock");
    let old = Process::start(&[("HAND_OVER", path.to_str().unwrap())]);
    // An address that no interface has.
    let app = App::new().listen("127.0.0.1:0").unwrap();
    let failed = app.listen("192.0.2.1:1").unwrap().hand_over(&path).spawn();
    assert!(matches!(failed, Err(Error::Listen { .. })), "{failed:?}");
    for _ in 0..10 {
        assert_eq!(answerer(old.address), old.pid());
    }
    // The next one is handed everything still.
    let server = App::new()
        .listen("127.0.0.1:0")
        .unwrap()
        .hand_over(&path)
        .spawn()
        .unwrap();
    assert_eq!(server.local_addresses(), [old.address.into()]);
    server.handle().shutdown(Duration::ZERO);
    server.join().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_file_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder("mode");
    let path = folder.join("hand-over.sock");
    let app = App::new().listen("127.0.0.1:0").unwrap().hand_over(&path);
    let server = app.spawn().unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.handle().shutdown(Duration::ZERO);
    server.join().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// Ready no more, then drained: by the signal that a supervisor sends.
#[cfg(feature = "signals")]
#[test]
fn sigterm_has_a_process_drain() {
    let mut process = Process::start(&[]);
    let address = process.address;
    let status = |path: &str| {
        use std::io::{Read, Write};
        let mut stream = connect(address);
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Answer::new(&answer).status
    };
    assert_eq!(status("/readyz"), 200);
    let pid = process.pid().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    wait_until("it is ready no more", || status("/readyz") == 503);
    assert!(process.end().success());
}
