"""What a recording says, heard again."""
