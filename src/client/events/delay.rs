//! How long an event source waits before it connects again.
//!
//! ```text
//!  of use │ 3 s + │ in vain │ 6 s + │ in vain │ 12 s + │ in vain │ ... 60 s +
//! ```
//!
//! Behind a connection that was of use it waits for the reconnection time, and behind
//! each attempt in vain twice as long (WHATWG HTML §9.2.3, "reestablish the
//! connection"). The server has asked for at least that time, so the random part, up to
//! half of the delay, is added: clients that lost one server together come back apart.

use core::time::Duration;

use super::EventSourceLimits;

/// The delay behind `in_vain` attempts in a row; `asked` is the server's reconnection
/// time, and `dice` any number.
pub(super) fn delay(
    asked: Option<Duration>,
    in_vain: u32,
    limits: &EventSourceLimits,
    dice: u32,
) -> Duration {
    let time = asked.map_or(limits.reconnection, |asked| {
        asked.min(limits.longest).max(limits.shortest)
    });
    let factor = 1_u32.checked_shl(in_vain).unwrap_or(u32::MAX);
    let step = time.saturating_mul(factor).min(limits.delay.max(time));
    // In 4,096 parts of its half.
    let random = step / 2 / 4096 * (dice % 4097);
    step.saturating_add(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: EventSourceLimits = EventSourceLimits::DEFAULT;

    fn secs(asked: Option<Duration>, in_vain: u32, dice: u32) -> f64 {
        delay(asked, in_vain, &LIMITS, dice).as_secs_f64()
    }

    #[test]
    fn the_delay_doubles_up_to_the_longest_and_then_stays() {
        let steps: [f64; 8] = core::array::from_fn(|n| secs(None, n as u32, 0));
        assert_eq!(steps, [3.0, 6.0, 12.0, 24.0, 48.0, 60.0, 60.0, 60.0]);
        assert_eq!(secs(None, u32::MAX, 0), 60.0);
    }

    #[test]
    fn the_random_part_only_adds_and_up_to_a_half() {
        for dice in [0, 1, 2048, 4096, 4097, u32::MAX] {
            let delay = secs(None, 1, dice);
            assert!((6.0..=9.0).contains(&delay), "{delay}");
        }
        assert!(secs(None, 1, 4096) > 8.99);
    }

    #[test]
    fn the_servers_time_is_kept_within_its_limits() {
        let asked = |millis| Some(Duration::from_millis(millis));
        assert_eq!(secs(asked(1500), 0, 0), 1.5);
        assert_eq!(secs(asked(0), 0, 0), 0.1);
        assert_eq!(secs(asked(0), 3, 0), 0.8);
        // Longer than any delay of our own, and still the least.
        assert_eq!(secs(asked(120_000), 0, 0), 120.0);
        assert_eq!(secs(asked(120_000), 5, 0), 120.0);
        assert_eq!(secs(asked(u64::MAX), 0, 0), 3600.0);
    }

    #[test]
    fn a_thousand_clients_come_back_apart() {
        let mut slots = [0; 15]; // of 100 ms each
        let mut dice = 1_u32;
        for _ in 0..1000 {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let delay = delay(None, 0, &LIMITS, dice >> 8);
            let slot = (delay.as_millis() as usize - 3000) / 100;
            slots[slot.min(14)] += 1;
        }
        assert!(slots.iter().all(|&n| n < 2 * 1000 / 15), "{slots:?}");
    }
}
