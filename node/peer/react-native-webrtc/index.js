throw new Error('moss does not run on React Native');
