//! What a cashier's terminal believes: a certificate of its own key, and the center's word on a refund with its evidence.
//! Pure.

use wire::{
    id::CenterId,
    key::VerificationKey,
    message::Verdict,
    payload::{CashierRights, Refund, Rights, TerminalCertificate},
    sheet::KeySheet,
    telegram::Telegram,
    terminal::verdict_fits,
    time::Timestamp,
};

/// The rights in a certificate of this terminal's key at this center.
pub(super) fn rights(
    certificate: &Telegram,
    center: &CenterId,
    key: &VerificationKey,
) -> Result<CashierRights, String> {
    let signed = certificate
        .verify_self::<TerminalCertificate>()
        .map_err(|error| format!("the certificate that the store handed out does not hold: {error}"))?;
    let said = signed.into_payload();
    if said.center != *center || said.terminal_key != *key {
        return Err("the certificate that the store handed out is another terminal's".into());
    }
    match said.rights {
        Rights::Cashier(rights) => Ok(rights),
        Rights::Owner => {
            Err("the certificate that the store handed out is the owner's, not a cashier's".into())
        }
    }
}

/// Whether a key sheet that the store passed on is the center's and not older than the one that is kept.
pub(super) fn sheet(
    signed: &Telegram,
    root: &VerificationKey,
    kept: Option<&Telegram>,
) -> Result<(), String> {
    let sheet = KeySheet::verify(signed, root).map_err(|error| error.to_string())?;
    let kept = kept.and_then(|kept| KeySheet::verify(kept, root).ok()).map_or(0, |kept| kept.number);
    if sheet.number < kept {
        return Err(format!(
            "the store shows the center's key sheet {}, but {kept} was seen before",
            sheet.number
        ));
    }
    Ok(())
}

/// Whether a verdict on this refund bears the center's evidence. Where there is none, because it came too late to be
/// entered, this terminal's clock must agree.
pub(super) fn verdict(
    telegram: &Telegram,
    verdict: &Verdict,
    (sheet, root): (&Telegram, &VerificationKey),
    now: Timestamp,
) -> Result<(), String> {
    match verdict.receipt() {
        Some(receipt) => receipt.verify(sheet, root)?,
        None => {
            let refund: Refund = telegram.peek().map_err(|error| error.to_string())?;
            if refund.valid_until >= now {
                return Err(
                    "it says that the refund is too old, which by this terminal's clock it is not".into()
                );
            }
        }
    }
    verdict_fits(telegram, verdict).map_err(|error| error.to_string())
}
