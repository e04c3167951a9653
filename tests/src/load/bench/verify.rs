//! Raw `verify_strict`: what no center that verifies each payment once can be faster than.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use super::super::{cores, machine};

/// Signatures of each thread; each of another key, as payments are.
const SIGNATURES: usize = 256;
/// The length of a payment's signed message.
const MESSAGE: usize = 320;

/// What raw verification does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Raw {
    /// Verifications a second, on all cores at once.
    pub per_second: f64,
    /// Processor time of one, in microseconds.
    pub cpu_us: f64,
}

/// Verifies on all cores for so long. Keys are decompressed beforehand.
pub fn raw(lasts: Duration) -> Raw {
    let signed: Vec<Vec<(VerifyingKey, [u8; MESSAGE], Signature)>> = (0..cores())
        .map(|thread| (0..SIGNATURES).map(|at| sign(thread * SIGNATURES + at)).collect())
        .collect();
    let over = AtomicBool::new(false);
    let (since, cpu) = (Instant::now(), machine::own_cpu());
    let count: u64 = thread::scope(|scope| {
        let threads: Vec<_> = signed
            .iter()
            .map(|signed| {
                let over = &over;
                scope.spawn(move || {
                    let mut count = 0;
                    for (key, message, signature) in signed.iter().cycle() {
                        if over.load(Ordering::Relaxed) {
                            break;
                        }
                        key.verify_strict(message, signature).expect("it was signed so");
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        thread::sleep(lasts);
        over.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().expect("verifying does not panic")).sum()
    });
    let (seconds, cpu) = (since.elapsed().as_secs_f64(), machine::own_cpu().saturating_sub(cpu));
    Raw { per_second: count as f64 / seconds, cpu_us: cpu.as_secs_f64() * 1e6 / count.max(1) as f64 }
}

fn sign(number: usize) -> (VerifyingKey, [u8; MESSAGE], Signature) {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&(number as u64).to_le_bytes());
    let key = SigningKey::from_bytes(&seed);
    let message = [number as u8; MESSAGE];
    (key.verifying_key(), message, key.sign(&message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_what_it_verifies() {
        let raw = raw(Duration::from_millis(30));
        assert!(raw.per_second > 10.0 && raw.cpu_us > 1.0, "{raw:?}");
    }
}
