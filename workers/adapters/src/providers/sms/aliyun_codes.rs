//! Alibaba's codes in our terms: one table for the answer to a sending, one for what the operator said later. They are the codes of
//! the vendor's error lists for Dysmsapi 2017-05-25 and of its gateway; a code that is in neither may have sent it: it is asked for.

use super::Meaning;
use Meaning::{Refused, Unclear};
use zhida_core::ports::sms::RefusalClass::{self, Account, Busy, Content, Limit, Recipient, Template, Unreachable};

/// A code that ends with a full stop and everything that begins so.
const ANSWERS: &[(&str, Meaning)] = &[
    // The number.
    ("isv.MOBILE_NUMBER_ILLEGAL", Refused(Recipient)),
    ("isv.CUSTOMER_REFUSED", Refused(Recipient)),
    // As many as the number may have.
    ("isv.BUSINESS_LIMIT_CONTROL", Refused(Limit)),
    // The account, its money, its rights, its own ceilings.
    ("isv.OUT_OF_SERVICE", Refused(Account)),
    ("isv.AMOUNT_NOT_ENOUGH", Refused(Account)),
    ("isv.PRODUCT_UN_SUBSCRIPT", Refused(Account)),
    ("isv.PRODUCT_UNSUBSCRIBE", Refused(Account)),
    ("isv.ACCOUNT_NOT_EXISTS", Refused(Account)),
    ("isv.ACCOUNT_ABNORMAL", Refused(Account)),
    ("isv.SECURITY_FROZEN_ACCOUNT", Refused(Account)),
    ("isv.DENY_IP_RANGE", Refused(Account)),
    ("isv.DAY_LIMIT_CONTROL", Refused(Account)),
    ("isv.MONTH_LIMIT_CONTROL", Refused(Account)),
    ("isp.RAM_PERMISSION_DENY", Refused(Account)),
    ("isv.RAM_PERMISSION_DENY", Refused(Account)),
    ("InvalidAccessKeyId", Refused(Account)),
    ("InvalidAccessKeyId.", Refused(Account)),
    ("SignatureDoesNotMatch", Refused(Account)),
    ("IncompleteSignature", Refused(Account)),
    ("InvalidTimeStamp.", Refused(Account)),
    ("Forbidden", Refused(Account)),
    ("Forbidden.", Refused(Account)),
    ("NoPermission", Refused(Account)),
    // Later.
    ("Throttling", Refused(Busy)),
    ("Throttling.", Refused(Busy)),
    // The request came twice, so the other one may have been taken in.
    ("SignatureNonceUsed", Unclear),
    // Inside the vendor.
    ("isp.SYSTEM_ERROR", Unclear),
    ("isp.GATEWAY_ERROR", Unclear),
    ("isp.UNKNOWN", Unclear),
    ("InternalError", Unclear),
    ("ServiceUnavailable", Unclear),
    ("ServiceUnavailableTemporary", Unclear),
    // Template and signature, as they stand in our set and at the vendor.
    ("isv.SMS_TEMPLATE_ILLEGAL", Refused(Template)),
    ("isv.SMS_SIGNATURE_ILLEGAL", Refused(Template)),
    ("isv.SMS_SIGN_ILLEGAL", Refused(Template)),
    ("isv.TEMPLATE_MISSING_PARAMETERS", Refused(Template)),
    ("MissingSignName", Refused(Template)),
    ("MissingTemplateCode", Refused(Template)),
    // What it says: isv.INVALID_JSON_PARAM, isv.PARAM_LENGTH_LIMIT, isv.PARAM_NOT_SUPPORT_URL, isv.BLACK_KEY_CONTROL_LIMIT …
    ("isv.", Refused(Content)),
    // The gateway, before the request has reached anybody who could send it.
    ("InvalidAction.", Refused(Content)),
    ("InvalidVersion", Refused(Content)),
    ("InvalidParameter", Refused(Content)),
    ("InvalidParameter.", Refused(Content)),
    ("MissingParameter", Refused(Content)),
    ("MissingParameter.", Refused(Content)),
    ("MissingPhoneNumbers", Refused(Content)),
];

/// Codes of receipts that say more than "not now".
const DELIVERIES: &[(&str, RefusalClass)] = &[
    // Off, out of reach, out of service or nobody's: the vendor does not tell these apart, so that it may be on again tomorrow.
    ("MOBILE_NOT_ON_SERVICE", Unreachable),
    // Unpaid, suspended; a phone that is full or broken; no SMS from abroad wanted.
    ("MOBILE_ACCOUNT_ABNORMAL", Unreachable),
    ("MOBLLE_TERMINAL_ERROR", Unreachable), // the vendor's spelling
    ("SP_NOT_BY_INTER_SMS", Unreachable),
    ("MOBILE_IN_BLACK", Recipient),
    ("INVALID_NUMBER", Recipient),
    ("USER_REJECT", Recipient),
    ("MOBILE_SEND_LIMIT", Limit),
    ("CONTENT_KEYWORD", Content),
    ("CONTENT_ERROR", Content),
    ("SIGNATURE_BLACKLIST", Content),
    ("PARAMS_ILLEGAL", Content),
    ("isv.", Content),
];

/// What the code of an answer to a sending means; never asked for `OK`.
pub(super) fn of_answer(code: &str) -> Meaning {
    find(ANSWERS, code).unwrap_or(Unclear)
}

/// Of which class a failed delivery is. What the tables do not know, such as IS_CLOSE, NO_ROUTE and SP_UNKNOWN_ERROR, another
/// attempt may do better.
pub(super) fn of_delivery(code: &str) -> RefusalClass {
    find(DELIVERIES, code).unwrap_or(Busy)
}

fn find<T: Copy>(table: &[(&str, T)], code: &str) -> Option<T> {
    let exact = table.iter().find(|(known, _)| *known == code);
    let family = || table.iter().find(|(known, _)| known.ends_with('.') && code.starts_with(known));
    exact.or_else(family).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_ours() {
        for (code, meaning) in [
            ("isv.MOBILE_NUMBER_ILLEGAL", Refused(Recipient)),
            ("isv.BUSINESS_LIMIT_CONTROL", Refused(Limit)),
            ("isv.AMOUNT_NOT_ENOUGH", Refused(Account)),
            ("InvalidAccessKeyId.NotFound", Refused(Account)),
            ("InvalidTimeStamp.Expired", Refused(Account)),
            ("Throttling.User", Refused(Busy)),
            ("isv.SMS_TEMPLATE_ILLEGAL", Refused(Template)),
            ("isv.TO_COME", Refused(Content)),
            ("isp.SYSTEM_ERROR", Unclear),
            ("SignatureNonceUsed", Unclear),
            ("InvalidAction.NotFound", Refused(Content)),
            ("MissingPhoneNumbers", Refused(Content)),
            ("Whatever", Unclear),
            ("", Unclear),
        ] {
            assert_eq!(of_answer(code), meaning, "{code}");
        }
        for (code, class) in [
            ("MOBILE_NOT_ON_SERVICE", Unreachable),
            ("MOBLLE_TERMINAL_ERROR", Unreachable),
            ("INVALID_NUMBER", Recipient),
            ("MOBILE_SEND_LIMIT", Limit),
            ("CONTENT_KEYWORD", Content),
            ("NO_ROUTE", Busy),
            ("", Busy),
        ] {
            assert_eq!(of_delivery(code), class, "{code}");
        }
    }
}
