//! Tencent's codes in our terms, for the answer to a sending: those of the vendor's error list for sms 2021-01-11 and of its gateway. A
//! code that is not here may have sent it: it is asked for. What operators say later is not classed (see [`of_delivery`]).

use super::Meaning;
use Meaning::{Refused, Unclear};
use zhida_core::ports::sms::RefusalClass::{self, Account, Busy, Content, Limit, Recipient, Template};

/// A code that ends with a full stop and everything that begins so. What is exact counts first.
const ANSWERS: &[(&str, Meaning)] = &[
    // The number.
    ("InvalidParameterValue.IncorrectPhoneNumber", Refused(Recipient)),
    ("FailedOperation.PhoneNumberInBlacklist", Refused(Recipient)),
    // As many as the number may have.
    ("LimitExceeded.PhoneNumberDailyLimit", Refused(Limit)),
    ("LimitExceeded.PhoneNumberOneHourLimit", Refused(Limit)),
    ("LimitExceeded.PhoneNumberThirtySecondLimit", Refused(Limit)),
    ("LimitExceeded.PhoneNumberSameContentDailyLimit", Refused(Limit)),
    ("LimitExceeded.DeliveryFrequencyLimit", Refused(Limit)),
    // The account, its money, its rights, its own ceilings, its clock.
    ("FailedOperation.InsufficientBalanceInSmsPackage", Refused(Account)),
    ("FailedOperation.NotEnterpriseCertification", Refused(Account)),
    ("LimitExceeded.AppDailyLimit", Refused(Account)),
    ("LimitExceeded.DailyLimit", Refused(Account)),
    ("InvalidParameterValue.SdkAppIdNotExist", Refused(Account)),
    ("InvalidParameter.AppidAndBizId", Refused(Account)),
    ("InternalError.RequestTimeException", Refused(Account)),
    ("InternalError.SigFieldMissing", Refused(Account)),
    ("InternalError.SigVerificationFail", Refused(Account)),
    ("AuthFailure", Refused(Account)),
    ("AuthFailure.", Refused(Account)),
    ("UnauthorizedOperation", Refused(Account)),
    ("UnauthorizedOperation.", Refused(Account)),
    ("IpInBlacklist", Refused(Account)),
    ("IpNotInWhitelist", Refused(Account)),
    // Later.
    ("RequestLimitExceeded", Refused(Busy)),
    ("RequestLimitExceeded.", Refused(Busy)),
    // Inside the vendor, or not said.
    ("FailedOperation", Unclear),
    ("FailedOperation.OtherError", Unclear),
    ("FailedOperation.ParametersOtherError", Unclear),
    ("InternalError", Unclear),
    ("InternalError.JsonParseFail", Refused(Content)),
    ("InternalError.RestApiInterfaceNotExist", Refused(Content)),
    ("InternalError.", Unclear), // Timeout, SendAndRecvFail, OtherError, UnknownError
    ("ServiceUnavailable", Unclear),
    // The request itself, before anything is sent: template, signature, variables.
    ("FailedOperation.ContainSensitiveWord", Refused(Content)),
    ("FailedOperation.FailResolvePacket", Refused(Content)),
    ("FailedOperation.JsonParseFail", Refused(Content)),
    ("FailedOperation.MarketingSendTimeConstraint", Refused(Content)),
    ("FailedOperation.MissingSignature", Refused(Template)),
    ("FailedOperation.MissingTemplateToModify", Refused(Template)),
    ("FailedOperation.SignatureIncorrectOrUnapproved", Refused(Template)),
    ("FailedOperation.TemplateIdNotExist", Refused(Template)),
    ("FailedOperation.TemplateIncorrectOrUnapproved", Refused(Template)),
    ("FailedOperation.TemplateParamSetNotMatchApprovedTemplate", Refused(Template)),
    ("FailedOperation.TemplateUnapprovedOrNotExist", Refused(Template)),
    ("InvalidAction", Refused(Content)),
    ("InvalidParameter", Refused(Content)),
    ("InvalidParameter.", Refused(Content)),
    ("InvalidParameterValue", Refused(Content)),
    ("InvalidParameterValue.", Refused(Content)),
    ("LimitExceeded.PhoneNumberCountLimit", Refused(Content)),
    ("MissingParameter", Refused(Content)),
    ("MissingParameter.", Refused(Content)),
    ("UnknownParameter", Refused(Content)),
    ("UnsupportedOperation", Refused(Content)),
    ("UnsupportedOperation.", Refused(Content)),
    ("UnsupportedRegion", Refused(Content)),
];

/// What the code of an answer to a sending means; never asked for `Ok`.
pub(super) fn of_answer(code: &str) -> Meaning {
    let exact = ANSWERS.iter().find(|(known, _)| *known == code);
    let family = || ANSWERS.iter().find(|(known, _)| known.ends_with('.') && code.starts_with(known));
    exact.or_else(family).map_or(Unclear, |(_, meaning)| *meaning)
}

/// Of which class a failed delivery is. The codes are the operators' own and their list is not published in a form that could be
/// relied on (check), so that another attempt may always do better.
pub(super) fn of_delivery(_code: &str) -> RefusalClass {
    Busy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_ours() {
        for (code, meaning) in [
            ("InvalidParameterValue.IncorrectPhoneNumber", Refused(Recipient)),
            ("LimitExceeded.PhoneNumberDailyLimit", Refused(Limit)),
            ("LimitExceeded.AppDailyLimit", Refused(Account)),
            ("AuthFailure.SignatureFailure", Refused(Account)),
            ("UnauthorizedOperation.SerivceSuspendDueToArrears", Refused(Account)),
            ("RequestLimitExceeded.UinLimitExceeded", Refused(Busy)),
            ("FailedOperation.TemplateIncorrectOrUnapproved", Refused(Template)),
            ("FailedOperation", Unclear),
            ("InternalError.Timeout", Unclear),
            ("InternalError.JsonParseFail", Refused(Content)),
            ("FailedOperation.ContainSensitiveWord", Refused(Content)),
            ("InvalidParameterValue.ContentLengthLimit", Refused(Content)),
            ("FailedOperation.ToCome", Unclear),
            ("Whatever", Unclear),
        ] {
            assert_eq!(of_answer(code), meaning, "{code}");
        }
    }
}
