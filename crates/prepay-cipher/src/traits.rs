//! The RustCrypto traits for ciphers whose natural form is `u64 -> u64`.
//!
//! A token travels as one 64-bit number, so every cipher here enciphers numbers. This macro adds the
//! traits of the `cipher` crate on top: a block of eight bytes is that number, most significant byte
//! first. `Debug` is here as well, so that no cipher can print a key by a careless derive.

/// Implements the block traits for a type with `encipher` and `decipher` on `u64`.
///
/// The type has its own `KeyInit`, `KeySizeUser` and `Drop`, which know the key.
macro_rules! impl_block_cipher {
    ($cipher:ty, $name:literal) => {
        impl cipher::AlgorithmName for $cipher {
            fn write_alg_name(f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str($name)
            }
        }

        impl cipher::BlockSizeUser for $cipher {
            type BlockSize = cipher::consts::U8;
        }

        impl cipher::ParBlocksSizeUser for $cipher {
            type ParBlocksSize = cipher::consts::U1;
        }

        impl cipher::BlockCipherEncrypt for $cipher {
            #[inline]
            fn encrypt_with_backend(
                &self,
                f: impl cipher::BlockCipherEncClosure<BlockSize = Self::BlockSize>,
            ) {
                f.call(self);
            }
        }

        impl cipher::BlockCipherEncBackend for $cipher {
            #[inline]
            fn encrypt_block(&self, mut block: cipher::InOut<'_, '_, cipher::Block<Self>>) {
                let number = u64::from_be_bytes(block.clone_in().into());
                *block.get_out() = self.encipher(number).to_be_bytes().into();
            }
        }

        impl cipher::BlockCipherDecrypt for $cipher {
            #[inline]
            fn decrypt_with_backend(
                &self,
                f: impl cipher::BlockCipherDecClosure<BlockSize = Self::BlockSize>,
            ) {
                f.call(self);
            }
        }

        impl cipher::BlockCipherDecBackend for $cipher {
            #[inline]
            fn decrypt_block(&self, mut block: cipher::InOut<'_, '_, cipher::Block<Self>>) {
                let number = u64::from_be_bytes(block.clone_in().into());
                *block.get_out() = self.decipher(number).to_be_bytes().into();
            }
        }

        impl core::fmt::Debug for $cipher {
            /// Prints the name of the type and never its key.
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($cipher), "(..)"))
            }
        }
    };
}

pub(crate) use impl_block_cipher;
