//! What a program needs from below when there is nothing below: a first
//! instruction, a last one, and a place for panics to end.

use core::panic::PanicInfo;

// The stack is as the system left it, so the first instructions align it.
#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(".globl _start", "_start:", "and rsp, -16", "call {main}", main = sym first);
#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(".globl _start", "_start:", "bl {main}", main = sym first);
#[cfg(target_arch = "arm")]
core::arch::global_asm!(".globl _start", "_start:", "bl {main}", main = sym first);

extern "C" fn first() -> ! {
    exit(crate::run())
}

/// Ends the program; on a bare machine there is nowhere to go.
#[cfg(target_os = "linux")]
fn exit(status: i32) -> ! {
    unsafe extern "C" {
        fn _exit(status: i32) -> !;
    }
    // SAFETY: the C library's function of this name and signature; it needs no
    // preparation and never returns.
    unsafe { _exit(status) }
}

#[cfg(not(target_os = "linux"))]
fn exit(status: i32) -> ! {
    core::hint::black_box(status);
    loop {
        core::hint::spin_loop();
    }
}

/// The status of a program that panicked.
const PANICKED: i32 = 101;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(PANICKED)
}
