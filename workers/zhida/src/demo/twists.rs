//! What is to go wrong with an award of the sample district, as faults of the simulated bank. Twists that concern the approval
//! itself are made where the events are.

use super::DISTRICT;
use zhida_config::sample_district::{Award, Twist};
use zhida_core::ids::{ApplicationId, InstructionId, PayoutKey};
use zhida_sandbox::{AnswerFault, BankHandle, CallFault, Fault, Target, TransferFault};

/// Scripts the bank for this award.
pub(super) fn script(bank: &BankHandle, award: &Award) {
    let Some(fault) = award.twist.as_ref().and_then(fault) else { return };
    let key = PayoutKey { application_id: ApplicationId::from(award.application_id.as_str()), tranche: 1 };
    let id = InstructionId::derive(DISTRICT, &key, 1);
    bank.script(Target::Instruction(id.0), [Some(fault)]);
}

fn fault(twist: &Twist) -> Option<Fault> {
    match twist {
        Twist::Refused(reason) => Some(Fault::Transfer(TransferFault::Refuse { reason: reason.clone() })),
        Twist::PaysThenSilent => Some(Fault::Answer(AnswerFault::PayHang)),
        Twist::PaysThen500 => Some(Fault::Answer(AnswerFault::PayStatus { status: 500 })),
        Twist::PendingThenSettled => Some(Fault::Transfer(TransferFault::Pend { enquiries: Some(2) })),
        Twist::NotFoundForAWhile => Some(Fault::Transfer(TransferFault::PayUnseen { enquiries: 1 })),
        Twist::Reset => Some(Fault::Call(CallFault::Reset)),
        Twist::Slow => Some(Fault::Answer(AnswerFault::PaySlow { milliseconds: Some(800) })),
        Twist::Garbage => Some(Fault::Answer(AnswerFault::PayGarbage)),
        Twist::AcceptedThenRefused => {
            Some(Fault::Transfer(TransferFault::AcceptThenRefuse { enquiries: 2, reason: "AC04".to_owned() }))
        }
        Twist::ResentBySender
        | Twist::CommitmentLater
        | Twist::CommitmentNever
        | Twist::AccountNameDiffers
        | Twist::AccountNameBrackets
        | Twist::OneOfficer
        | Twist::PolicyClosed
        | Twist::StrangeName => None,
    }
}
