use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use super::*;

fn target(token: u64) -> Target {
    Target {
        owner: Owner(0),
        exchange: Exchange::NONE,
        token,
    }
}

/// The rule in its simplest form: who is in use, when each was polled last, who waits.
#[derive(Default)]
struct Model {
    polled: BTreeMap<u64, u64>,
    queue: VecDeque<u64>,
}

#[test]
fn slots_and_their_list_agree_with_a_queue() {
    let mut random = 7_u64;
    let mut draw = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    for _ in 0..200 {
        let (mut woken, mut model) = (Woken::new(), Model::default());
        let (mut keys, mut stale) = (Vec::<(Key, u64)>::new(), Vec::new());
        let (mut turn, mut names) = (1, 0);
        for _ in 0..300 {
            match draw(8) {
                0 | 1 => {
                    names += 1;
                    keys.push((woken.add(target(names), turn), names));
                    model.polled.insert(names, turn);
                }
                2 if !keys.is_empty() => {
                    let (key, name) = keys.swap_remove(draw(keys.len()));
                    woken.remove(key);
                    model.polled.remove(&name);
                    model.queue.retain(|it| *it != name);
                    stale.push(key);
                }
                3 if !stale.is_empty() => assert!(!woken.wake(stale[draw(stale.len())])),
                4 if !keys.is_empty() => {
                    let (key, name) = keys[draw(keys.len())];
                    woken.begin_poll(key, turn);
                    model.polled.insert(name, turn);
                    model.queue.retain(|it| *it != name);
                }
                5 => turn += 1,
                6 => {
                    let mut left = draw(5);
                    let mut looked = left.min(model.queue.len());
                    let expected = loop {
                        if looked == 0 {
                            break None;
                        }
                        looked -= 1;
                        let name = model.queue.pop_front().unwrap();
                        if model.polled[&name] != turn {
                            break Some(name);
                        }
                        model.queue.push_back(name);
                    };
                    left = left.min(woken.len());
                    let next = woken.next(turn, &mut left).map(|it| it.token);
                    assert_eq!(next, expected);
                }
                _ if !keys.is_empty() => {
                    let (key, name) = keys[draw(keys.len())];
                    let is_first = model.queue.is_empty();
                    let is_new = !model.queue.contains(&name);
                    assert_eq!(woken.wake(key), is_first && is_new);
                    if is_new {
                        model.queue.push_back(name);
                    }
                }
                _ => {}
            }
            assert_eq!(woken.len(), model.queue.len());
            assert_eq!(woken.slots(), keys.len());
        }
        woken.clear();
        assert!(keys.iter().all(|(key, _)| !woken.wake(*key)));
    }
}
