use super::*;

#[test]
fn each_reason_stops_the_reading_by_itself_but_for_its_exception() {
    for hold in [Hold::Owner, Hold::Memory, Hold::Output] {
        let mut holds = Holds::NONE;
        assert!(holds.is_none() && holds.lets_read(false));
        holds.add(hold);
        assert!(holds.has(hold) && !holds.is_none() && !holds.lets_read(false));
        assert_eq!(holds.lets_read(true), hold == Hold::Memory);
        holds.ignore_output();
        assert_eq!(holds.lets_read(false), hold == Hold::Output);
        holds.end(hold);
        assert!(holds.is_none() && holds.lets_read(false) && holds.ignores_output());
    }
}
