use alloc::collections::BTreeSet;

use super::*;

fn present(session: u64, user: &str) -> Present {
    Present::new(session, user, "data", 5)
}

#[test]
fn a_user_is_there_with_the_first_session_and_gone_with_the_last() {
    let mut table = PresenceTable::new(None);
    assert_eq!(table.enter(&present(1, "ann")), Ok(true));
    assert_eq!(table.enter(&present(2, "ann")), Ok(false));
    assert_eq!(table.enter(&present(3, "")), Ok(true));
    assert_eq!(table.enter(&present(4, "")), Ok(true));
    let count = |sessions, users| PresenceCount { sessions, users };
    assert_eq!(table.count(), count(4, 3));
    assert_eq!(table.leave(1), Some((present(1, "ann"), false)));
    assert_eq!(table.leave(1), None);
    assert_eq!(table.leave(2), Some((present(2, "ann"), true)));
    assert_eq!(table.leave(3), Some((present(3, ""), true)));
    assert_eq!(table.count(), count(1, 1));
    assert_eq!(table.list(None, 9), [present(4, "")]);
}

#[test]
fn the_list_comes_in_pages_and_the_memory_is_bounded() {
    let one = PresenceTable::new(None);
    drop(one);
    let account = Account::new(1_000);
    let mut table = PresenceTable::new(Some(&account));
    let mut most = 0;
    while table.enter(&present(most, "somebody")).is_ok() {
        most += 1;
    }
    assert!((2..20).contains(&most), "{most}");
    assert!(account.held() <= 1_000);
    let first = table.list(None, 2);
    let rest = table.list(first.last().map(|it| it.session), 100);
    assert_eq!(first.len() + rest.len(), most as usize);
    for session in 0..most {
        table.leave(session);
    }
    assert_eq!(
        (account.held(), table.count()),
        (0, PresenceCount::default())
    );
}

#[test]
fn any_history_of_comings_and_goings_counts_as_a_simple_model_does() {
    let mut random = 3_u64;
    let mut draw = |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let users = ["", "ann", "bob", "eve"];
    let mut table = PresenceTable::new(None);
    let mut model: BTreeMap<u64, &str> = BTreeMap::new();
    for _ in 0..5_000 {
        let (session, user) = (draw(12), users[draw(4) as usize]);
        let named = |model: &BTreeMap<u64, &str>, user: &str| {
            model.values().filter(|it| **it == user).count()
        };
        match draw(2) {
            0 if !model.contains_key(&session) => {
                let is_first = user.is_empty() || named(&model, user) == 0;
                model.insert(session, user);
                assert_eq!(table.enter(&present(session, user)), Ok(is_first));
            }
            0 => {}
            _ => {
                let left = model.remove(&session).map(|user| {
                    let is_last = user.is_empty() || named(&model, user) == 0;
                    (present(session, user), is_last)
                });
                assert_eq!(table.leave(session), left);
            }
        }
        let different: BTreeSet<&str> = model
            .values()
            .copied()
            .filter(|it| !it.is_empty())
            .collect();
        let count = table.count();
        assert_eq!(count.sessions, model.len());
        assert_eq!(count.users, different.len() + named(&model, ""));
        let listed: Vec<u64> = table.list(None, 99).iter().map(|it| it.session).collect();
        assert_eq!(listed, model.keys().copied().collect::<Vec<_>>());
    }
}
