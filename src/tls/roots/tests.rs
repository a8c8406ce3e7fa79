use alloc::string::ToString;
use std::fs;

use super::*;

fn made() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap()
}

#[test]
fn roots_are_read_from_pem_and_der_and_put_together() {
    let (one, other) = (made(), made());
    let pem = [one.cert.pem(), other.cert.pem()].concat();
    let path = std::env::temp_dir().join(format!("barewire-roots-{}.pem", std::process::id()));
    fs::write(&path, &pem).unwrap();
    let read = Roots::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(read.get().len(), 2);
    let given = Roots::from_pem(pem.as_bytes()).unwrap();
    let der = Roots::from_der([one.cert.der().to_vec()]).unwrap();
    assert_eq!(format!("{:?}", given.and(der)), "Roots(3)");
}

#[test]
fn what_is_no_root_is_named() {
    let key = made().signing_key.serialize_pem();
    for (pem, fault) in [
        (
            &b""[..],
            "the roots: no PEM block \"CERTIFICATE\"; it is empty",
        ),
        (
            key.as_bytes(),
            "the roots: no PEM block \"CERTIFICATE\", only a private key",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            "the roots: certificate 1 cannot be a root: ",
        ),
    ] {
        let error = Roots::from_pem(pem).unwrap_err().to_string();
        assert!(error.starts_with(fault), "{error}");
    }
    let none: [Vec<u8>; 0] = [];
    assert!(Roots::from_der(none).is_err());
    let missing = Roots::read("/nowhere/ca.pem").unwrap_err().to_string();
    assert!(
        missing.starts_with("cannot read /nowhere/ca.pem: "),
        "{missing}"
    );
}
