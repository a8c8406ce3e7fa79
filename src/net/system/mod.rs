//! The system behind a seam: really, or as a test scripts it.

pub(super) mod address;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) mod connected;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) mod direct;
pub(super) mod file_part;
pub(super) mod listener;
pub(super) mod mio;
pub(super) mod network;
pub(super) mod poller;
pub(super) mod random;
pub(super) mod retry;
pub(super) mod scripted;
pub(super) mod scripted_queue;
pub(super) mod scripted_system;
#[cfg(all(feature = "files", any(target_os = "linux", target_os = "android")))]
pub(super) mod send_file;
#[cfg(unix)]
pub(super) mod socket_file;
pub(super) mod system_clock;
#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(unsafe_code)] // the call: it says why it is sound
pub(super) mod under_way;
