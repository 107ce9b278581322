/** Types of the parts of node-forge that are used; the package has none. */
declare module "node-forge" {
  interface Certificate {
    publicKey: unknown;
    serialNumber: string;
    readonly validity: { notBefore: Date; notAfter: Date };
    setSubject(attributes: readonly { readonly name: string; readonly value: string }[]): void;
    setIssuer(attributes: readonly { readonly name: string; readonly value: string }[]): void;
    setExtensions(extensions: readonly object[]): void;
    sign(key: unknown, digest: unknown): void;
  }
  const forge: {
    readonly pki: {
      createCertificate(): Certificate;
      publicKeyFromPem(pem: string): unknown;
      privateKeyFromPem(pem: string): unknown;
      certificateToPem(certificate: Certificate): string;
    };
    readonly md: { readonly sha256: { create(): unknown } };
  };
  export default forge;
}
