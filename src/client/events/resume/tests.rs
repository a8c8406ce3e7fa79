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
