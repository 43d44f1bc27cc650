// PMSystem
