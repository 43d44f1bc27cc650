import PMModel
import Testing

@Suite struct FingerprintTests {
    /// Test vectors of the algorithm's authors.
    @Test(arguments: [("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8")])
    func `it is FNV-1a of 64 bits`(text: String, digits: String) {
        #expect(Fingerprint(of: text).digits == digits)
        #expect(Fingerprint(of: text).value == UInt64(digits, radix: 16))
    }
}
