extension Unicode.Scalar {
    /// True for a character that shows nothing, but changes the order of the text around it (UAX #9), or hides in it: the
    /// categories Cf, Zl and Zp of Unicode. The joiners, which words of some languages and many emoji need, are none.
    public var isHidden: Bool {
        // The first one is the soft hyphen.
        guard value >= 0xAD else { return false }
        switch properties.generalCategory {
        case .format: return value != 0x200C && value != 0x200D
        case .lineSeparator, .paragraphSeparator: return true
        default: return false
        }
    }
}
