use alloc::string::ToString;

use super::*;

#[test]
fn lists_are_read_and_what_is_none_is_named() {
    let block = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
    let one = Crls::from_pem(block.as_bytes()).unwrap();
    let two = one.and(Crls::from_der([[0x30, 0]]));
    assert_eq!(two.get().len(), 2);
    let error = Crls::from_pem(b"nonsense").unwrap_err().to_string();
    let expected = "the revocation lists: no PEM block \"X509 CRL\"; it is not PEM";
    assert_eq!(error, expected);
    let missing = Crls::read("/nowhere/list.pem").unwrap_err().to_string();
    assert!(
        missing.starts_with("cannot read /nowhere/list.pem: "),
        "{missing}"
    );
}
