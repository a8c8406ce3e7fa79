//! What Linux tells about a process.

use std::fs;
use std::io::{self, Error};

/// Time on a processor since the process started.
#[derive(Clone, Copy)]
pub struct Cpu {
    /// Nanoseconds of all threads, exactly.
    pub all: u64,
    /// Ticks of 10 ms in user mode, and in the kernel.
    pub user: u64,
    pub system: u64,
}

/// The time that all threads of a process have spent on processors.
pub fn cpu(pid: u32) -> io::Result<Cpu> {
    let mut all = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        all += number(text.split_ascii_whitespace().next())?;
    }
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program, in parentheses, may hold anything.
    let behind = text.rsplit_once(')').map_or("", |(_, behind)| behind);
    let mut fields = behind.split_ascii_whitespace().skip(11);
    let (user, system) = (number(fields.next())?, number(fields.next())?);
    Ok(Cpu { all, user, system })
}

/// Bytes of memory that are resident.
pub fn resident(pid: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_ascii_whitespace().next());
    Ok(number(kibibytes)? * 1024)
}

fn number(text: Option<&str>) -> io::Result<u64> {
    let number = text.and_then(|text| text.parse().ok());
    number.ok_or_else(|| Error::other("/proc is not as expected"))
}
