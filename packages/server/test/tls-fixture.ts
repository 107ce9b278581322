/** A self-signed certificate for localhost and its key, for tests only, and bytes that begin a handshake. */

/** Made once with openssl, good for a century. */

export const TEST_CERT = `-----BEGIN CERTIFICATE-----
MIIBrzCCAVSgAwIBAgIUNczqvYQkt7o3pF+PCBjmywimpoEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTExNDUwNFoYDzIxMjYxMDI4
MTE0NTA0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATLS9xVgUrpbYwW8Tcg/jBg2oheyY6LTjiEJrTzboQnSet4yAp8AX3U
LMQmYoMxZWSI5FcdUo+PspilwryLnWORo4GBMH8wHQYDVR0OBBYEFA/RVsXQBdMg
J1L7LUD9jDayQL7qMB8GA1UdIwQYMBaAFA/RVsXQBdMgJ1L7LUD9jDayQL7qMA8G
A1UdEwEB/wQFMAMBAf8wLAYDVR0RBCUwI4IJbG9jYWxob3N0hwR/AAABhxAAAAAA
AAAAAAAAAAAAAAABMAoGCCqGSM49BAMCA0kAMEYCIQDmgZKh93G6D6PG5CJXiCSF
qIAHeu0DJwPeGjv/oJRS3AIhAPY61cbUuxr0eG91S5HLBJKvBJHWZpC+tlnaRmc0
QxW9
-----END CERTIFICATE-----`;

export const TEST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg1ZlLTqcqz2l6jGZw
cDT+VO68kym3AJAvPqRRsmKWveuhRANCAATLS9xVgUrpbYwW8Tcg/jBg2oheyY6L
TjiEJrTzboQnSet4yAp8AX3ULMQmYoMxZWSI5FcdUo+PspilwryLnWOR
-----END PRIVATE KEY-----`;

/** The head of a record that holds a ClientHello of 512 bytes, and how that begins. */
export const TLS_HELLO_START = Buffer.from("1603010204010002000303", "hex");
