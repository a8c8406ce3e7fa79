use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

#[cfg(feature = "net")]
const PACE: Pace = Pace {
    rate: 1000,
    grace: Duration::from_secs(2),
};

#[cfg(feature = "net")]
#[test]
fn who_moves_too_little_for_longer_than_the_grace_lags() {
    let account = Account::new(10);
    let at = |millis| Instant::START + Duration::from_millis(millis);
    assert_eq!(account.lags(PACE, at(0)), None);
    assert_eq!(account.lags(PACE, at(2000)), None);
    assert_eq!(
        account.lags(PACE, at(2500)),
        Some(Duration::from_millis(500))
    );
    account.moved(400, PACE, at(2500));
    assert_eq!(
        account.lags(PACE, at(2500)),
        Some(Duration::from_millis(100))
    );
    account.moved(1_000_000, PACE, at(2500)); // never more than the grace ahead
    assert_eq!(account.lags(PACE, at(4500)), None);
    assert!(account.lags(PACE, at(4501)).is_some());
    account.excuse(PACE, at(9000));
    assert_eq!(account.lags(PACE, at(11_000)), None);
    for second in 11..100 {
        account.moved(1000, PACE, at(second * 1000));
        assert_eq!(account.lags(PACE, at(second * 1000)), None);
    }
}

#[cfg(feature = "net")]
#[test]
fn time_in_which_it_held_little_does_not_count() {
    let all = Account::new(1 << 20);
    let at = |seconds| Instant::START + Duration::from_secs(seconds);
    let mut charge = all.child().charge(LITTLE);
    let account = charge.account().unwrap().clone();
    account.begin(PACE, at(0));
    charge.grow(1000);
    account.begin(PACE, at(60));
    assert_eq!(account.lags(PACE, at(62)), None);
    charge.grow(1000);
    assert!(account.lags(PACE, at(63)).is_some());
    charge.shrink(3000);
    charge.grow(3000);
    assert_eq!(account.lags(PACE, at(100)), None);
}

#[test]
fn a_charge_is_refused_before_it_is_taken() {
    let all = Account::new(100);
    let connection = all.child();
    assert_eq!(connection.try_charge(101).unwrap_err(), Full);
    let mut charge = connection.try_charge(100).unwrap();
    assert!(all.is_full() && connection.is_full());
    assert_eq!(charge.try_grow(1), Err(Full));
    charge.grow(5); // what exists already
    assert_eq!((all.held(), all.room(), all.peak()), (105, 0, 105));
    charge.move_to(None);
    assert_eq!((all.held(), charge.bytes()), (0, 105));
    assert_eq!(charge.try_grow(1 << 30), Ok(()));
}

proptest! {
    #[test]
    fn the_accounts_are_the_sums_of_their_charges(
        steps in prop::collection::vec((0..6u8, 0..4usize, 0..1000usize), 0..200),
    ) {
        let all = Account::new(5000);
        let address = all.child();
        let accounts = [all.clone(), address.clone(), address.child(), address.child()];
        let mut charges: Vec<Charge> = Vec::new();
        for (step, which, bytes) in steps {
            let at = bytes % charges.len().max(1);
            match (step, charges.get_mut(at)) {
                (0, _) | (_, None) => charges.push(accounts[which].charge(bytes)),
                (1, Some(charge)) => charge.grow(bytes),
                (2, Some(charge)) => {
                    let fits = bytes <= all.room();
                    prop_assert_eq!(charge.try_grow(bytes).is_ok(), fits);
                }
                (3, Some(charge)) => charge.set(bytes),
                (4, Some(charge)) => charge.move_to(Some(&accounts[which])),
                (_, Some(_)) => drop(charges.swap_remove(at)),
            }
            let of = |account: &Account| -> usize {
                let own = |it: &&Charge| it.account().is_some_and(|it| it.is(account));
                charges.iter().filter(own).map(Charge::bytes).sum()
            };
            let [own, of_address, one, two] = [0, 1, 2, 3].map(|at: usize| of(&accounts[at]));
            prop_assert_eq!(accounts[2].held(), one);
            prop_assert_eq!(accounts[3].held(), two);
            prop_assert_eq!(address.held(), of_address + one + two);
            prop_assert_eq!(all.held(), own + of_address + one + two);
        }
        charges.clear();
        prop_assert_eq!(all.held(), 0);
    }
}
