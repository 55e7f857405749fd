"""Network to keras.Model and to a Keras script; TensorFlow is imported and set up here."""
