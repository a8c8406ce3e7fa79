//! The machine: its clocks, its memory, its processors, and what a process may open.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// Which of the two processes this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// Nanoseconds since 1970: all processes are on one machine, so that they have one clock.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX))
}

/// Nanoseconds of processor time that this process has used, the kernel's for it included.
pub fn processor_time() -> u64 {
    #[cfg(unix)]
    {
        use rustix::time::{ClockId, clock_gettime};
        let time = clock_gettime(ClockId::ProcessCPUTime);
        u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000
            + u64::try_from(time.tv_nsec).unwrap_or(0)
    }
    #[cfg(not(unix))]
    0
}

/// Bytes of memory that this process has in use (VmRSS); 0 where the system does not say.
pub fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let number = line.and_then(|it| it.split_whitespace().next());
    number.and_then(|it| it.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Raises the limit of descriptors as far as it goes; says how many may be open.
pub fn raise_descriptors() -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        let _ = setrlimit(Resource::Nofile, limit); // what it is in the end is said below
        let now = getrlimit(Resource::Nofile).current;
        now.unwrap_or(1 << 20).min(1 << 20)
    }
    #[cfg(not(unix))]
    1_024
}

/// Gives the process a processor of its own where there are two, the other one to the other
/// side. Threads that it starts later stay there, too.
pub fn pin(side: Side) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let Ok(allowed) = sched_getaffinity(None) else {
            return false;
        };
        let all: Vec<usize> = (0..CpuSet::MAX_CPU)
            .filter(|it| allowed.is_set(*it))
            .collect();
        let [first, .., last] = &all[..] else {
            return false;
        };
        let mut own = CpuSet::new();
        own.set(match side {
            Side::Client => *last,
            Side::Server => *first,
        });
        sched_setaffinity(None, &own).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = side;
        false
    }
}

/// How many processors this process may use.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What the machine is, and how busy it was, for the head of a report.
pub fn description() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|it| it.strip_prefix("model name"));
    let model = model
        .and_then(|it| it.split(':').nth(1))
        .unwrap_or("unknown")
        .trim();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let count = cpu.lines().filter(|it| it.starts_with("processor")).count();
    format!("{model}, {count} processors, Linux {}", kernel.trim())
}

/// The load of the last minute, which is noise as far as it is not ours.
pub fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// Bytes as digits.
pub fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a string takes everything
        text
    })
}

/// Digits as bytes.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
