//! The Merkle tree of RFC 6962, section 2.1, and the proofs that a log owes to those who read it.
//!
//! A leaf hashes as `SHA-256(0x00 ‖ leaf)`, a node as `SHA-256(0x01 ‖ left ‖ right)`; the tree of `n > 1` leaves
//! splits at the largest power of two below `n`. Proofs are verified by the algorithms of RFC 9162, sections 2.1.3.2
//! and 2.1.4.2, which accept exactly one proof per question.

use crate::id::Digest;

/// The most digests that a valid proof can hold: one per level of a tree of 2⁶⁴ leaves, and one more that a
/// consistency proof may begin with.
pub const PROOF_DIGESTS: usize = 65;

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The question itself is wrong: the leaf lies outside the tree, or the older tree is the larger one.
    #[error("the proof is for position {position}, which lies outside a tree of {size} leaves")]
    Outside {
        /// The leaf's index, or the size of the older tree.
        position: u64,
        /// The size of the tree.
        size: u64,
    },
    /// Too many or too few digests for trees of these sizes.
    #[error("the proof has {0} digests, which is not the number that trees of these sizes need")]
    Length(usize),
    /// The digests lead to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// The hash of a leaf's bytes.
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest::of(&[&[0], leaf])
}

/// The root of the tree without leaves: the hash of nothing.
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// An append-only tree, held in memory with the hash of every complete subtree (64 bytes per leaf), so that each
/// root and proof of every size it ever had costs a logarithm of hashes.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// `levels[k][i]` is the hash of the complete subtree over the leaves `i·2ᵏ .. (i+1)·2ᵏ`.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends a leaf, given its [`leaf_hash`].
    pub fn push(&mut self, leaf: Digest) {
        let mut complete = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(complete);
            if nodes.len() % 2 == 1 {
                return;
            }
            complete = node_hash(&nodes[nodes.len() - 2], &nodes[nodes.len() - 1]);
        }
    }

    /// The hash of the leaf at `index`.
    pub fn leaf(&self, index: u64) -> Option<Digest> {
        self.levels.first()?.get(usize::try_from(index).ok()?).copied()
    }

    /// The root over all leaves.
    pub fn root(&self) -> Digest {
        self.range(0, self.size())
    }

    /// The root that the tree had when it held `size` leaves; `None` if it never held so many.
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        (size <= self.size()).then(|| self.range(0, size))
    }

    /// The proof that the leaf at `index` is in the tree of `size` leaves, from the leaf upwards.
    ///
    /// # Errors
    /// [`ProofError::Outside`] when there is no such leaf or the tree never held so many.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Digest>, ProofError> {
        if index >= size || size > self.size() {
            return Err(ProofError::Outside { position: index, size: size.min(self.size()) });
        }
        let (mut start, mut end) = (0, size);
        let mut proof = Vec::new();
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                proof.push(self.range(middle, end));
                end = middle;
            } else {
                proof.push(self.range(start, middle));
                start = middle;
            }
        }
        proof.reverse();
        Ok(proof)
    }

    /// The proofs that the leaves from `first` on are in the tree as it is now, in their order, each from the leaf
    /// upwards: what [`Tree::inclusion`] gives for each, at the cost of a few hashes for all of them.
    pub fn inclusions(&self, first: u64) -> impl Iterator<Item = Vec<Digest>> + '_ {
        let size = self.size();
        // The ranges at the right edge are no complete subtrees; each is a sibling of many leaves.
        let mut edge = Vec::new();
        let mut start = 0;
        while start < size {
            edge.push((start, self.range(start, size)));
            if size - start == 1 {
                break;
            }
            start += split(size - start);
        }
        (first..size).map(move |index| {
            let (mut start, mut end) = (0, size);
            let mut proof = Vec::with_capacity((u64::BITS - size.leading_zeros()) as usize);
            while end - start > 1 {
                let middle = start + split(end - start);
                if index < middle {
                    let known = edge.iter().find(|(start, _)| end == size && *start == middle);
                    proof.push(known.map_or_else(|| self.range(middle, end), |(_, hash)| *hash));
                    end = middle;
                } else {
                    proof.push(self.range(start, middle));
                    start = middle;
                }
            }
            proof.reverse();
            proof
        })
    }

    /// The proof that the tree of `old` leaves is the beginning of the tree of `new` leaves. It is empty when the
    /// two are of one size, or the old one has no leaves.
    ///
    /// # Errors
    /// [`ProofError::Outside`] when `old` is larger than `new`, or the tree never held `new` leaves.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, ProofError> {
        if old > new || new > self.size() {
            return Err(ProofError::Outside { position: old, size: new.min(self.size()) });
        }
        let mut proof = Vec::new();
        if old == 0 || old == new {
            return Ok(proof);
        }
        let (mut start, mut end) = (0, new);
        // SUBPROOF(old, D[start..end], b) of RFC 6962, 2.1.2; b says that the old tree's root is what is reached.
        while old != end {
            let middle = start + split(end - start);
            if old <= middle {
                proof.push(self.range(middle, end));
                end = middle;
            } else {
                proof.push(self.range(start, middle));
                start = middle;
            }
        }
        if start != 0 {
            proof.push(self.range(start, end));
        }
        proof.reverse();
        Ok(proof)
    }

    /// The hash over the leaves `start..end`, where `start` is a multiple of the power of two that holds the range:
    /// so it is a fold over complete subtrees, from the smallest, which stands rightmost, to the largest.
    fn range(&self, start: u64, end: u64) -> Digest {
        let mut rest = end - start;
        let mut at = end;
        let mut hash: Option<Digest> = None;
        while rest > 0 {
            let level = rest.trailing_zeros();
            at -= 1 << level;
            rest &= rest - 1;
            let subtree = self.levels[level as usize][(at >> level) as usize];
            hash = Some(hash.map_or(subtree, |right| node_hash(&subtree, &right)));
        }
        hash.unwrap_or_else(empty_root)
    }
}

impl FromIterator<Digest> for Tree {
    fn from_iter<I: IntoIterator<Item = Digest>>(leaves: I) -> Self {
        let mut tree = Self::new();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}

/// Verifies that the leaf of hash `leaf` stands at `index` in the tree of `size` leaves and root `root`
/// (RFC 9162, 2.1.3.2).
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Outside { position: index, size });
    }
    let length = ProofError::Length(proof.len());
    let (mut fnode, mut snode, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if snode == 0 {
            return Err(length);
        }
        if fnode & 1 == 1 || fnode == snode {
            hash = node_hash(sibling, &hash);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    if snode != 0 {
        return Err(length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Verifies that the tree of `old` leaves and root `old_root` is the beginning of the tree of `new` leaves and root
/// `new_root` (RFC 9162, 2.1.4.2).
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[Digest],
    old_root: &Digest,
    new_root: &Digest,
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Outside { position: old, size: new });
    }
    let length = ProofError::Length(proof.len());
    if old == new || old == 0 {
        // Nothing to fold: equal sizes need equal roots, and the empty tree begins every tree.
        let agree = if old == new { old_root == new_root } else { *old_root == empty_root() };
        return match (proof.is_empty(), agree) {
            (false, _) => Err(length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let (mut fnode, mut snode) = (old - 1, new - 1);
    while fnode & 1 == 1 {
        fnode >>= 1;
        snode >>= 1;
    }
    // Where the old tree is one complete subtree, its root is known and stands in no proof.
    let (first, rest) = match proof {
        rest if old.is_power_of_two() => (old_root, rest),
        [first, rest @ ..] => (first, rest),
        [] => return Err(length),
    };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if snode == 0 {
            return Err(length);
        }
        if fnode & 1 == 1 || fnode == snode {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    if snode != 0 {
        return Err(length);
    }
    if old_hash == *old_root && new_hash == *new_root { Ok(()) } else { Err(ProofError::Root) }
}

fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of(&[&[1], &left.0, &right.0])
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;

    use super::*;

    /// The leaves of the reference vectors of RFC 6962's own implementation (google/certificate-transparency,
    /// `merkletree/merkle_tree_test.cc`), and the roots of the trees over the first 1 to 8 of them.
    const LEAVES: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn tree(leaves: u64) -> Tree {
        (0..leaves).map(|at| leaf_hash(&at.to_be_bytes())).collect()
    }

    #[test]
    fn has_the_roots_and_proofs_of_the_reference_vectors() {
        let mut tree = Tree::new();
        assert_eq!(
            tree.root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for (leaf, root) in LEAVES.iter().zip(ROOTS) {
            tree.push(leaf_hash(leaf));
            assert_eq!(tree.root().to_string(), root);
        }
        for (size, root) in (1..).zip(ROOTS) {
            assert_eq!(tree.root_at(size).unwrap().to_string(), root);
        }
        let shown = |proof: Vec<Digest>| proof.iter().map(Digest::to_string).collect::<Vec<_>>();
        assert_eq!(
            shown(tree.inclusion(2, 3).unwrap()),
            ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]
        );
        assert_eq!(
            shown(tree.consistency(6, 8).unwrap()),
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
    }

    #[test]
    fn what_lies_outside_is_refused() {
        let tree = tree(5);
        assert!(tree.inclusion(5, 5).is_err());
        assert!(tree.inclusion(0, 6).is_err());
        assert!(tree.consistency(4, 3).is_err());
        assert!(tree.consistency(3, 6).is_err());
        assert_eq!(tree.root_at(6), None);
        assert_eq!(tree.root_at(0), Some(empty_root()));
        let error = verify_inclusion(&leaf_hash(b""), 5, 5, &[], &tree.root()).unwrap_err();
        assert_eq!(error.to_string(), "the proof is for position 5, which lies outside a tree of 5 leaves");
    }

    #[test]
    fn equal_and_empty_trees_need_no_digests() {
        let tree = tree(5);
        assert_eq!(verify_consistency(5, 5, &[], &tree.root(), &tree.root()), Ok(()));
        assert_eq!(verify_consistency(0, 5, &[], &empty_root(), &tree.root()), Ok(()));
        assert_eq!(verify_consistency(0, 5, &[], &tree.root(), &tree.root()), Err(ProofError::Root));
        let extra = [empty_root()];
        assert_eq!(verify_consistency(5, 5, &extra, &tree.root(), &tree.root()), Err(ProofError::Length(1)));
    }

    proptest! {
        #[test]
        fn agrees_with_the_oracle(size in 1u64..200, at in any::<prop::sample::Index>(), old in any::<prop::sample::Index>()) {
            let tree = tree(size);
            let mut oracle: MemoryBackedTree<sha2::Sha256, Vec<u8>> = MemoryBackedTree::new();
            (0..size).for_each(|at| oracle.push(at.to_be_bytes().to_vec()));
            let root = Digest(oracle.root().as_bytes()[..].try_into().unwrap());
            prop_assert_eq!(tree.root(), root);

            let index = at.index(size as usize) as u64;
            let proof = tree.inclusion(index, size).unwrap();
            let flat: Vec<u8> = proof.iter().flat_map(|digest| digest.0).collect();
            let expected = oracle.prove_inclusion(index as usize);
            prop_assert_eq!(expected.as_bytes(), &flat[..]);
            let leaf = leaf_hash(&index.to_be_bytes());
            prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Ok(()));

            let together: Vec<_> = tree.inclusions(index).collect();
            let alone: Vec<_> = (index..size).map(|index| tree.inclusion(index, size).unwrap()).collect();
            prop_assert_eq!(together, alone);

            let old = 1 + old.index(size as usize) as u64;
            let proof = tree.consistency(old, size).unwrap();
            let old_root = tree.root_at(old).unwrap();
            prop_assert_eq!(verify_consistency(old, size, &proof, &old_root, &root), Ok(()));
            if old < size {
                let flat: Vec<u8> = proof.iter().flat_map(|digest| digest.0).collect();
                let expected = oracle.prove_consistency((size - old) as usize);
                prop_assert_eq!(expected.as_bytes(), &flat[..]);
            }
        }

        #[test]
        fn a_changed_proof_proves_nothing(size in 2u64..100, at in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>(), bit in 0u8..8) {
            let tree = tree(size);
            let index = at.index(size as usize) as u64;
            let leaf = leaf_hash(&index.to_be_bytes());
            let proof = tree.inclusion(index, size).unwrap();
            let mut wrong = proof.clone();
            let byte = flip.index(wrong.len() * 32);
            wrong[byte / 32].0[byte % 32] ^= 1 << bit;
            prop_assert_eq!(verify_inclusion(&leaf, index, size, &wrong, &tree.root()), Err(ProofError::Root));
            let shorter = &proof[..proof.len() - 1];
            prop_assert!(verify_inclusion(&leaf, index, size, shorter, &tree.root()).is_err());
            wrong.clone_from(&proof);
            wrong.push(leaf);
            prop_assert!(verify_inclusion(&leaf, index, size, &wrong, &tree.root()).is_err());
            let elsewhere = (index + 1) % size;
            prop_assert!(verify_inclusion(&leaf, elsewhere, size, &proof, &tree.root()).is_err());

            let proof = tree.consistency(index.max(1), size).unwrap();
            let old_root = tree.root_at(index.max(1)).unwrap();
            let mut other = old_root;
            other.0[0] ^= 1;
            prop_assert!(verify_consistency(index.max(1), size, &proof, &other, &tree.root()).is_err());
            let mut longer = proof.clone();
            longer.push(leaf);
            prop_assert!(verify_consistency(index.max(1), size, &longer, &old_root, &tree.root()).is_err());
        }

        #[test]
        fn no_claimed_proof_panics(old: u64, new: u64, proof in prop::collection::vec(any::<[u8; 32]>().prop_map(Digest), 0..70)) {
            let root = empty_root();
            prop_assert!(verify_inclusion(&root, old, new, &proof, &root).is_err());
            if old != new && old != 0 {
                prop_assert!(verify_consistency(old, new, &proof, &root, &root).is_err());
            }
        }
    }
}
