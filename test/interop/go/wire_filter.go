package main

import (
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
)

// undoFilters peels from the first id, which is the outermost layer.
func undoFilters(ids, data []byte) ([]byte, error) {
	for _, id := range ids {
		switch id {
		case 'z':
			in, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				return nil, err
			}
			if data, err = io.ReadAll(in); err != nil {
				return nil, err
			}
		case '5':
			cut := len(data) - md5.Size
			if cut < 0 {
				return nil, errShort
			}
			if sum := md5.Sum(data[:cut]); !bytes.Equal(sum[:], data[cut:]) {
				return nil, errors.New("md5 differs")
			}
			data = data[:cut]
		case 'a':
			var err error
			if data, err = decrypt(data); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("unknown filter %d", id)
		}
	}
	return data, nil
}

// decrypt undoes AES-CBC with DMicro's constant IV and PKCS#7 padding.
func decrypt(data []byte) ([]byte, error) {
	block, err := aes.NewCipher([]byte(aesKey))
	if err != nil {
		return nil, err
	}
	if len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errShort
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, []byte("I Love Go Frame!")).CryptBlocks(plain, data)
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > aes.BlockSize {
		return nil, errors.New("aes padding")
	}
	return plain[:len(plain)-padding], nil
}
