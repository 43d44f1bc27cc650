/// The number of a user or a group as it is written in a configuration and in files of accounts.
public enum AccountID {
    /// Numbers that are no account: -1, which tells setresuid(2) to change nothing, in 32 bits and in the 16 of old calls.
    public static let reserved: Set<UInt32> = [.max, 65_535]

    /// The meaning of a text as an account.
    public enum Reading: Equatable, Sendable {
        /// The number of an account.
        case number(UInt32)
        /// No number: a name.
        case name
        /// Something like a number that stands for no account; why not.
        case neither(String)
    }

    /// Reads a text. A number is written in one way: digits without a sign and without zeros in front.
    public static func read(_ text: some StringProtocol) -> Reading {
        guard let first = text.utf8.first else { return .neither("is empty") }
        let isDigit = { (byte: UInt8) in byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
        if first == UInt8(ascii: "+") || first == UInt8(ascii: "-") { return .neither("begins with a sign") }
        guard isDigit(first) else { return .name }
        guard text.utf8.allSatisfy(isDigit) else { return .neither("begins like a number, but is not a number") }
        guard text.utf8.count == 1 || first != UInt8(ascii: "0") else { return .neither("has a zero in front") }
        guard let number = UInt32(text) else { return .neither("is larger than any account's number") }
        if reserved.contains(number) { return .neither("means -1, which is no account") }
        return .number(number)
    }

    /// The number of an account; nil for anything else.
    public static func number(_ text: some StringProtocol) -> UInt32? {
        if case .number(let number) = read(text) { number } else { nil }
    }
}
