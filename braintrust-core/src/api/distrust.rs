//! Certificates that are not trusted: why, and what to do about it.

use std::borrow::Cow;

use jiff::Timestamp;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

/// Whether variables can name what is trusted in place of the system's store.
const HAS_VARIABLES: bool = cfg!(all(unix, not(target_vendor = "apple"), not(target_os = "android")));
const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

const CHECK_TIME: &str = "; the server needs a new one, unless this machine's clock is wrong";
const NEEDS_ANOTHER: &str = "; the server needs one for its name, signed by an authority that is trusted here";

/// What is wrong with a certificate, and what to do about it: `check_address`, if the address is not what was meant.
pub(super) fn explain(error: &CertificateError, check_address: &str) -> String {
    let what = match error {
        CertificateError::ExpiredContext { time, not_after } => compare("it expired", *not_after, *time),
        CertificateError::NotValidYetContext { time, not_before } => compare("it is valid from", *not_before, *time),
        _ => error.to_string(),
    };
    let advice = match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => CHECK_TIME.into(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => check_address.into(),
        // A bad signature is that of an authority with the name of one that is trusted, and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => signed_by_a_stranger(),
        _ => NEEDS_ANOTHER.into(),
    };
    what + &advice
}

fn compare(what: &str, at: UnixTime, now: UnixTime) -> String {
    let text = |time: UnixTime| {
        let seconds = i64::try_from(time.as_secs()).ok()?;
        Some(Timestamp::from_second(seconds).ok()?.to_string())
    };
    match (text(at), text(now)) {
        (Some(at), Some(now)) => format!("{what} {at}, and it is {now} by this machine's clock"),
        _ => format!("{what} a time that is no time"),
    }
}

fn signed_by_a_stranger() -> Cow<'static, str> {
    match named_places() {
        Some(places) => format!(
            "; only the authorities in {places} are trusted, and none of them has signed it: add the certificate of \
             the one that has, and start the program again"
        )
        .into(),
        None if HAS_VARIABLES => {
            "; no authority in the system's certificate store has signed it: add the certificate of the one that has \
             to the store, or to a file that SSL_CERT_FILE names in place of the store, and start the program again"
                .into()
        }
        None => "; no authority in the system's certificate store has signed it: add the certificate of the one that \
                 has, and start the program again"
            .into(),
    }
}

/// What to say where no certificate of any authority was found when the program began.
pub(super) fn nobody_is_trusted() -> String {
    match named_places() {
        Some(places) => format!(
            "no certificate of an authority is found in {places}; correct or remove the setting, and start the program \
             again"
        ),
        None => "no certificate of an authority is found on this machine; install the system's certificate store \
                 (often a package called ca-certificates), or name a file of certificates in SSL_CERT_FILE, and start \
                 the program again"
            .to_owned(),
    }
}

/// The places that variables name, each with its variable.
fn named_places() -> Option<String> {
    // An empty list of folders names none, while an empty path names a file that is not there.
    let named = [FILE, FOLDERS].into_iter().filter_map(|name| {
        let place = std::env::var_os(name).filter(|place| name == FILE || !place.is_empty())?;
        Some(format!("{name} ({})", place.display()))
    });
    let places: Vec<_> = named.collect();
    (HAS_VARIABLES && !places.is_empty()).then(|| places.join(" and "))
}
