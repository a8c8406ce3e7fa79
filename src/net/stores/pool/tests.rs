use super::*;

#[test]
fn a_buffer_comes_back_with_its_memory() {
    let mut pool = Pool::new(100, 1000);
    let mut buffer = pool.take();
    buffer.reserve_exact(80);
    buffer.push(1);
    let (memory, size) = (buffer.as_ptr(), buffer.capacity());
    pool.give(buffer);
    assert_eq!(pool.kept(), size);
    let buffer = pool.take();
    assert_eq!((buffer.as_ptr(), buffer.len(), pool.kept()), (memory, 0, 0));
}

#[test]
fn what_nobody_needs_is_freed_and_what_is_used_stays() {
    let mut pool = Pool::new(100, 1000);
    for _ in 0..10 {
        pool.give(Vec::with_capacity(100));
    }
    pool.age(false);
    assert_eq!(pool.kept(), 1000);
    let used: Vec<_> = (0..3).map(|_| pool.take()).collect();
    used.into_iter().for_each(|buffer| pool.give(buffer));
    pool.age(false);
    assert_eq!(pool.kept(), 300);
    pool.age(false);
    assert_eq!(pool.kept(), 0);
}

#[test]
fn a_burst_leaves_no_more_than_the_bound() {
    let mut pool = Pool::new(100, 250);
    pool.give(Vec::with_capacity(101));
    pool.give(Vec::new());
    assert_eq!(pool.kept(), 0);
    for _ in 0..10 {
        pool.give(Vec::with_capacity(100));
    }
    assert_eq!(pool.kept(), 200);
    pool.clear();
    assert_eq!((pool.kept(), pool.take().capacity()), (0, 0));
}
