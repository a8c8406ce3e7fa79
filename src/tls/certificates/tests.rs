use core::time::Duration;

use super::*;

#[test]
fn a_certificate_out_of_its_time_is_found() {
    let mut params = rcgen::CertificateParams::new(["a.test".to_string()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let chain = [params.self_signed(&key).unwrap().der().clone()];
    let provider = rustls::crypto::ring::default_provider();
    let fault_at = |year: u64| {
        let seconds = (year - 1970) * 31_556_952 + 86_400;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        fault_of_time(&chain, now, &provider)
    };
    assert_eq!(fault_at(2000).unwrap(), "the certificate is not valid yet");
    assert_eq!(fault_at(2001), None);
    assert_eq!(fault_at(2003).unwrap(), "the certificate has expired");
}
