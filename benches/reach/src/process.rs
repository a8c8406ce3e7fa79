//! Processes: what they may open, what they hold, and how they are spoken to.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::Result;

/// Raises the limit of descriptors as far as it goes; says how many may be open.
pub(crate) fn raise_descriptors() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit); // what it is in the end is said below
    getrlimit(Resource::Nofile)
        .current
        .unwrap_or(1 << 20)
        .min(1 << 20)
}

/// This program once more, in another role. Ends with its owner.
pub(crate) struct Role {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Role {
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Ok(Self {
            child,
            input: input.expect("it is a pipe"),
            output: BufReader::new(output.expect("it is a pipe")),
        })
    }

    /// The next line that it says.
    pub(crate) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("a process has ended".into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Waits for this line.
    pub(crate) fn expect(&mut self, wanted: &str) -> Result<()> {
        let line = self.line()?;
        (line == wanted)
            .then_some(())
            .ok_or_else(|| format!("{wanted} was expected, not {line:.60}").into())
    }

    fn say(&mut self, line: &str) -> Result<()> {
        Ok(writeln!(self.input, "{line}")?)
    }

    /// Says a line, and waits for the answer.
    pub(crate) fn ask(&mut self, line: &str) -> Result<String> {
        self.say(line)?;
        self.line()
    }

    /// Bytes that it holds in memory.
    pub(crate) fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        Ok(kib(&status, "VmRSS:")? * 1024)
    }

    /// Seconds of processor time that it has used, its own and the kernel's for it.
    pub(crate) fn processor(&self) -> Result<f64> {
        processor_of(self.child.id())
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of processor time that a process has used, its own and the kernel's for it.
pub(crate) fn processor_of(process: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, behind_name) = stat.rsplit_once(')').ok_or("no such process")?;
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>();
    Ok((ticks(11)? + ticks(12)?) / 100.0) // USER_HZ
}

/// Bytes that the kernel holds: in its own objects, and of TCP in buffers.
pub(crate) fn kernel() -> Result<(u64, u64)> {
    let objects = kib(&fs::read_to_string("/proc/meminfo")?, "Slab:")? * 1024;
    let sockets = fs::read_to_string("/proc/net/sockstat")?;
    let tcp = sockets.lines().find(|line| line.starts_with("TCP:"));
    let pages: u64 = tcp
        .and_then(|line| line.split_whitespace().last())
        .and_then(|it| it.parse().ok())
        .ok_or("no TCP in /proc/net/sockstat")?;
    Ok((objects, pages * 4096))
}

fn kib(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|it| it.split_whitespace().next());
    Ok(number.ok_or("a field is missing in /proc")?.parse()?)
}
