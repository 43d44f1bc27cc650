import PMModel
import PMSystem

/// A journal, read entry by entry: the system's, or one in memory in tests.
///
/// As with sd-journal(3), a reader that was moved by `seekTail` or `seek` is between entries until `next` or `previous`.
protocol Journal: AnyObject {
    /// True when there is a journal of which this user may read nothing.
    var isForbidden: Bool { get }

    /// Wants entries with this field; of several with one name, any; of several names, all.
    func match(_ field: String, _ value: String) throws(SystemError)

    /// Moves behind the last entry.
    func seekTail() throws(SystemError)
    /// Moves before the first entry of this time or later.
    func seek(to time: WallTime) throws(SystemError)
    /// Moves to what follows the entry with this cursor; true when the reader is at an entry of that already.
    func seek(behind cursor: String) throws(SystemError) -> Bool
    /// Goes one entry further; false at the end.
    func next() throws(SystemError) -> Bool
    /// Goes one entry back; false at the beginning.
    func previous() throws(SystemError) -> Bool

    /// The place of the entry.
    var cursor: String? { get }
    /// The time of the entry.
    var time: WallTime { get }
    /// The value of a field; nil when the entry has none.
    func bytes(_ field: String) -> [UInt8]?

    /// Waits until there may be more, until `other` is readable or closed, or until nobody reads `output`.
    func wait(or other: Int32, orClosed output: Int32) throws(SystemError) -> JournalWait
}

/// Why a wait for the journal ended.
enum JournalWait {
    case maybeMore
    case asked
    case abandoned
}

extension Journal {
    /// The value of a field as text.
    func text(_ field: String) -> String? { bytes(field).map { String(decoding: $0, as: UTF8.self) } }

    /// The value of a field as a number.
    func number(_ field: String) -> Int? { text(field).flatMap { Int($0) } }
}
