/// Patterns of which only the star is special: it means any text.
public enum StarPattern {
    /// True when the whole text has the form of the pattern.
    public static func matches(_ pattern: String, _ text: String) -> Bool {
        matches(Array(pattern.utf8)[...], Array(text.utf8)[...])
    }

    /// Each star takes as little as possible first; only the last one is tried again, so the time is the product of the two
    /// lengths at most.
    public static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        var (at, place) = (pattern.startIndex, text.startIndex)
        var star: (after: Int, place: Int)?
        while place < text.endIndex {
            if at < pattern.endIndex, pattern[at] == UInt8(ascii: "*") {
                at += 1
                star = (at, place)
            } else if at < pattern.endIndex, pattern[at] == text[place] {
                at += 1
                place += 1
            } else if let last = star {
                at = last.after
                place = last.place + 1
                star = (at, place)
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
