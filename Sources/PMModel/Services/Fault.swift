/// The fault that ended a program, as its output shows it.
public struct Fault: Equatable, Sendable {
    /// A place in a file of the program.
    public struct Location: Equatable, Sendable {
        /// The file, as the output names it.
        public var file: String
        /// The line, from 1.
        public var line: Int
        /// The column, from 1; nil where the output has none.
        public var column: Int?

        /// Names a place.
        public init(_ file: String, _ line: Int, _ column: Int? = nil) {
            (self.file, self.line, self.column) = (file, line, column)
        }

        /// `server.js:12:8`.
        public var text: String { "\(file):\(line)" + (column.map { ":\($0)" } ?? "") }
    }

    /// The first line of the error: `Error: listen EADDRINUSE: address already in use :::3000`.
    public var message: String
    /// Where it happened; nil where the output has no place in the program.
    public var place: Location?
    /// The line of the source and a line with a caret below, where the output has them.
    public var excerpt: [String]

    /// Makes a fault.
    public init(_ message: String, at place: Location? = nil, excerpt: [String] = []) {
        (self.message, self.place, self.excerpt) = (message, place, excerpt)
    }

    /// `Error: boom (server.js:12:8)`.
    public var sentence: String { message + (place.map { " (\($0.text))" } ?? "") }
}
