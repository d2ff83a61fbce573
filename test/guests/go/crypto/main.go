// Known vectors of hashes, ciphers and signatures: they exercise the AES, SHA and AVX assembly.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"hash/crc32"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	check.OK(err)
	return b
}

func sum(h hash.Hash, data []byte) string {
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

func hashes() {
	abc, million := []byte("abc"), bytes.Repeat([]byte("a"), 1_000_000)
	check.Equal(sum(md5.New(), abc), "900150983cd24fb0d6963f7d28e17f72")
	check.Equal(sum(sha1.New(), abc), "a9993e364706816aba3e25717850c26c9cd0d89d")
	check.Equal(sum(sha256.New(), abc), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
	check.Equal(sum(sha256.New(), million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
	check.Equal(sum(sha512.New(), abc), "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"+
		"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
	check.Equal(sum(sha3.New256(), abc), "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532")
	check.Equal(sum(hmac.New(sha256.New, []byte("Jefe")), []byte("what do ya want for nothing?")),
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
	check.Equal(crc32.Checksum([]byte("123456789"), crc32.MakeTable(crc32.Castagnoli)), 0xe3069283)
	check.Equal(crc32.ChecksumIEEE([]byte("123456789")), 0xcbf43926)
}

// gcm is test case 4 of the GCM specification.
func gcm() {
	block, err := aes.NewCipher(unhex("feffe9928665731c6d6a8f9467308308"))
	check.OK(err)
	aead, err := cipher.NewGCM(block)
	check.OK(err)
	plain := unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
		"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
	nonce, extra := unhex("cafebabefacedbaddecaf888"), unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
	sealed := aead.Seal(nil, nonce, plain, extra)
	check.Equal(hex.EncodeToString(sealed), "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"+
		"21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"+"5bc94fbc3221a5db94fae95ae7121a47")
	opened, err := aead.Open(nil, nonce, sealed, extra)
	check.OK(err)
	check.That(bytes.Equal(opened, plain), "GCM does not round-trip")
	sealed[0] ^= 1
	_, err = aead.Open(nil, nonce, sealed, extra)
	check.That(err != nil, "a forged message was opened")
}

func curves() {
	// RFC 8032, section 7.1, test 1.
	key := ed25519.NewKeyFromSeed(unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
	sig := ed25519.Sign(key, nil)
	check.Equal(hex.EncodeToString(sig), "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"+
		"5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")
	check.That(ed25519.Verify(key.Public().(ed25519.PublicKey), nil, sig), "a good signature was refused")
	// RFC 7748, section 6.1.
	alice, err := ecdh.X25519().NewPrivateKey(unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
	check.OK(err)
	bob, err := ecdh.X25519().NewPublicKey(unhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
	check.OK(err)
	secret, err := alice.ECDH(bob)
	check.OK(err)
	check.Equal(hex.EncodeToString(secret), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")

	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check.OK(err)
	digest := sha256.Sum256([]byte("message"))
	asn1, err := ecdsa.SignASN1(rand.Reader, signer, digest[:])
	check.OK(err)
	check.That(ecdsa.VerifyASN1(&signer.PublicKey, digest[:], asn1), "P-256 signature was refused")
}

func main() {
	hashes()
	gcm()
	curves()
	check.Success()
}
