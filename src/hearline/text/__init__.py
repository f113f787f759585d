"""Words to sentence: filler words, number forms, special words, punctuation and case."""
