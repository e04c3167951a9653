//! Byte strings and lists that know their limit, so that no decoder can be made to allocate more.

use std::{fmt, ops::Deref};

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, SeqAccess, Visitor},
};

/// At most `MAX` bytes. In human-readable formats they are hex digits.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Bytes<const MAX: usize>(Vec<u8>);

/// More than a place allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{found} where at most {allowed} are allowed")]
pub struct TooMany {
    /// How many there were.
    pub found: usize,
    /// The most that is allowed.
    pub allowed: usize,
}

impl<const MAX: usize> Bytes<MAX> {
    /// Takes bytes, if they are not too many.
    pub fn new(bytes: Vec<u8>) -> Result<Self, TooMany> {
        if bytes.len() <= MAX { Ok(Self(bytes)) } else { Err(TooMany { found: bytes.len(), allowed: MAX }) }
    }

    /// The bytes.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl<const MAX: usize> Deref for Bytes<MAX> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const MAX: usize> fmt::Debug for Bytes<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl<const MAX: usize> Serialize for Bytes<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&HEXLOWER_PERMISSIVE.encode(&self.0))
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Bytes<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Raw<const MAX: usize>;
        impl<const MAX: usize> Visitor<'_> for Raw<MAX> {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {MAX} bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }

            fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }
        }
        let bytes = if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            HEXLOWER_PERMISSIVE
                .decode(text.as_bytes())
                .map_err(|_| D::Error::custom("bytes are hex digits here"))?
        } else {
            deserializer.deserialize_byte_buf(Raw::<MAX>)?
        };
        Self::new(bytes).map_err(D::Error::custom)
    }
}

/// At most `MAX` elements.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> List<T, MAX> {
    /// Takes elements, if they are not too many.
    pub fn new(items: Vec<T>) -> Result<Self, TooMany> {
        if items.len() <= MAX { Ok(Self(items)) } else { Err(TooMany { found: items.len(), allowed: MAX }) }
    }

    /// The first `MAX` of the elements.
    pub fn first(items: impl IntoIterator<Item = T>) -> Self {
        Self(items.into_iter().take(MAX).collect())
    }

    /// The elements.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T, const MAX: usize> IntoIterator for List<T, MAX> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T, const MAX: usize> IntoIterator for &'a List<T, MAX> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: fmt::Debug, const MAX: usize> fmt::Debug for List<T, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MAX: usize>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Items<T, MAX> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {MAX} elements")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
                let mut items = Vec::new();
                if let Some(found) = seq.size_hint().filter(|found| *found > MAX) {
                    return Err(A::Error::custom(TooMany { found, allowed: MAX }));
                }
                while let Some(item) = seq.next_element()? {
                    if items.len() == MAX {
                        return Err(A::Error::custom(TooMany { found: MAX + 1, allowed: MAX }));
                    }
                    items.push(item);
                }
                Ok(items)
            }
        }
        deserializer.deserialize_seq(Items::<T, MAX>(std::marker::PhantomData)).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{decode, encode};

    #[test]
    fn limits_hold_at_decoding() {
        let three = encode(&List::<u16, 3>::new(vec![1, 2, 3]).unwrap());
        assert!(decode::<List<u16, 3>>("list", &three, 100).is_ok());
        assert!(decode::<List<u16, 2>>("list", &three, 100).unwrap_err().why.contains("at most 2"));
        let bytes = encode(&Bytes::<4>::new(vec![1, 2, 3]).unwrap());
        assert_eq!(bytes.len(), 11);
        assert_eq!(&*decode::<Bytes<4>>("bytes", &bytes, 100).unwrap(), [1, 2, 3]);
        assert!(decode::<Bytes<2>>("bytes", &bytes, 100).is_err());
        assert_eq!(serde_json::to_string(&Bytes::<4>::new(vec![0xab]).unwrap()).unwrap(), "\"ab\"");
    }
}
